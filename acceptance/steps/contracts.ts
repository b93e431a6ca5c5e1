import assert from 'node:assert/strict';
import type { LocalServer } from '../../local/processes/loopback.ts';
import { expectedFailures } from '../contract/expected-failures.ts';
import { type ContractTest, runContracts } from '../contract/run.ts';
import { type Deviation, deviations } from '../deviations.ts';
import type { Step } from './context.ts';

/** The emulators are judged first: what they do otherwise than AWS is what the lists say, no less and no more. */
export const contracts: readonly Step[] = [
  {
    title: `ministack deviates from AWS in each of the ${deviations.length} listed ways, and with our repairs in none that is repaired`,
    async run({ published, openMinistack }) {
      const occurring = await occurringAt(published, deviations);
      const gone = deviations.map(({ name }) => name).filter((name) => !occurring.includes(name));
      assert.equal(gone.join('; '), '', 'no longer so: to be removed, with what it made necessary');
      const repaired = deviations.filter(({ isRepaired }) => isRepaired);
      assert.deepEqual(await occurringAt(openMinistack, repaired), [], 'a repair does not work');
    },
  },
  {
    title:
      'the contract suites of DynamoDB pass on ministack, those of EC2 on moto, except for the listed tests',
    async run({ folder, openMinistack, moto, log }) {
      const urls = { MINISTACK_URL: openMinistack.url, MOTO_URL: moto.url };
      const tests = await runContracts({ folder, urls, log });
      const listed = expectedFailures.flatMap(({ tests: names }) => names);
      const failed = tests.filter(({ passed }) => !passed);
      const unexpected = failed.filter(({ name }) => !listed.includes(name)).map(described);
      assert.equal(unexpected.join('\n'), '', `failed:\n${unexpected.join('\n')}`);
      const wrong = listed.filter((name) => !failed.some((test) => test.name === name));
      assert.equal(wrong.join('\n'), '', `listed as failing, but passed or not there:\n${wrong.join('\n')}`);
    },
  },
];

const occurringAt = async (emulator: LocalServer, listed: readonly Deviation[]): Promise<string[]> => {
  const occurring: string[] = [];
  for (const { name, occurs } of listed) if (await occurs(emulator)) occurring.push(name);
  return occurring;
};

const described = ({ name, reason }: ContractTest): string => `${name}: ${reason}`;
