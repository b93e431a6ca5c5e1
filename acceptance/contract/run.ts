import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { run } from '../../local/processes/installing.ts';

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

export type ContractTest = {
  /** Beginning with the emulator: `moto: EC2 launching answers while …`. */
  readonly name: string;
  readonly passed: boolean;
  /** Why it failed, in one line. */
  readonly reason: string;
};

type Options = {
  /** For the report. */
  readonly folder: string;
  readonly urls: { readonly MINISTACK_URL: string; readonly MOTO_URL: string };
  readonly log: (line: string) => void;
};

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the contract suites of test/contract against the emulators. @throws Error where a suite cannot be run at all */
export const runContracts = async ({ folder, urls, log }: Options): Promise<ContractTest[]> => {
  const outputFile = join(folder, 'contract.json');
  const config = ['--config', 'acceptance/contract/vitest.config.ts'];
  const surroundings = { cwd: root, env: { ...process.env, ...urls }, log };
  await run(
    ['npx', 'vitest', 'run', ...config, '--reporter', 'json', '--outputFile', outputFile],
    surroundings,
  );
  const { testResults } = Report.parse(JSON.parse(await readFile(outputFile, 'utf8')));
  return testResults.flatMap(({ name, message, assertionResults }) => {
    if (assertionResults.length === 0) throw new Error(`${name} has no tests: ${message}`);
    return assertionResults.map(({ fullName, status, failureMessages }) => ({
      name: fullName,
      passed: status === 'passed',
      reason: failureMessages?.[0]?.split('\n')[0] ?? '',
    }));
  });
};
