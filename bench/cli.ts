import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { bundleCli, cliFile } from '../cli/bundle.ts';
import type { Figures } from './figures.ts';
import { median, timedPair } from './measure.ts';

const pairs = 21;

/** How long `ec2sp --help` takes, compared with Node.js that does nothing, one directly after the other. */
export const cli = async (): Promise<Figures> => {
  const bytes = await bundleCli();
  const work = {
    product: () => ended([cliFile, '--help']),
    baseline: () => ended(['--eval', '0']),
  };
  const measured: { product: number; baseline: number }[] = [];
  for (let turn = 0; turn <= pairs; turn++) measured.push(await timedPair(work, turn));
  const counted = measured.slice(1); // the first one warms the file cache
  return {
    cli_help_ratio: median(counted.map(({ product, baseline }) => product / baseline)),
    cli_help_ms: median(counted.map(({ product }) => product)),
    cli_file_kb: bytes / 1024,
  };
};

const ended = async (args: readonly string[]): Promise<void> => {
  const [code] = await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit');
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with exit status ${code}.`);
};
