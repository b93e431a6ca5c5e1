import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startTiedProcess } from '../../../local/processes/tied-process.ts';
import { isAlive } from './processes.ts';

const module = fileURLToPath(new URL('../../../local/processes/tied-process.ts', import.meta.url));

describe('tied process', () => {
  it('tells every line that the process writes, and how it ended', async () => {
    const lines: string[] = [];

    const child = await startTiedProcess({
      command: '/bin/sh',
      args: ['-c', 'echo out; echo err >&2; exit 3'],
      env: {},
      onLine: (line) => lines.push(line),
    });

    expect(await child.ended).toEqual({ code: 3, signal: null });
    await expect.poll(() => lines.toSorted()).toEqual(['err', 'out']);
  });

  it('refuses a command that is not there', async () => {
    await expect(startTiedProcess({ command: '/nowhere', args: [], env: {} })).rejects.toThrow('ENOENT');
  });

  it.each([
    ['is killed', `process.kill(process.pid, 'SIGKILL')`],
    ['is interrupted', `process.kill(process.pid, 'SIGINT')`],
    ['exits', 'process.exit(0)'],
    ['crashes', `setTimeout(() => { throw new Error('crash') })`],
  ])('ends the process when the one that started it %s', async (_, end) => {
    const source = `
      import { startTiedProcess } from ${JSON.stringify(module)};
      const start = () => startTiedProcess({ command: '/bin/sleep', args: ['60'], env: {} });
      const [ended, frozen, running] = [await start(), await start(), await start()];
      ended.signal('SIGTERM');
      await ended.ended;
      frozen.signal('SIGSTOP');
      process.stdout.write(frozen.pid + ' ' + running.pid);
      ${end};
    `;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [output] = await once(parent.stdout, 'data');
    const pids = String(output).split(' ').map(Number);

    await once(parent, 'exit');

    expect(pids).toHaveLength(2);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });
});
