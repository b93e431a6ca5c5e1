import type { Group } from '../check.ts';
import { must } from '../outcome.ts';
import { idOf } from '../provider.ts';
import { allIds } from './pages.ts';

const atOnce = 10;
const resty =
  'control-plane internal/sp/service/resource_manager: the client posts the same id up to four times';

export const idempotencyChecks: Group = {
  title: 'Retries with the same id',
  checks: [
    {
      id: 'I1',
      sentence: 'answers a repeated create with success and the same resource',
      source: `${resty}; any 4xx deletes DCM's row`,
      caller: 'old control plane',
      async run({ provider, specimen, newId, specOf }) {
        await specimen();
        const id = newId();
        const first = await provider.create(id, { spec: specOf(id) });
        const again = await provider.create(id, { spec: specOf(id) });
        must(again.status < 300, `the retry was answered ${again.status}`);
        must(idOf(again.json) === idOf(first.json), `the retry's resource is ${idOf(again.json)}`);
      },
    },
    {
      id: 'I2',
      sentence:
        'creates one resource for ten simultaneous creates with one id, and answers it to all of them',
      source: resty,
      caller: 'old control plane',
      async run({ provider, specimen, newId, specOf }) {
        await specimen();
        const id = newId();
        const creates = Array.from({ length: atOnce }, () => provider.create(id, { spec: specOf(id) }));
        const answers = await Promise.all(creates);
        const refused = answers.find(({ status }) => status >= 300);
        must(refused === undefined, `one of them was answered ${refused?.status}`);
        must(
          new Set(answers.map(({ json }) => idOf(json))).size === 1,
          'they were answered with different ids',
        );
        const times = (await allIds(provider)).filter((one) => one === id).length;
        must(times === 1, `the list has it ${times} times`);
      },
    },
    {
      id: 'I3',
      sentence: 'answers a create whose first answer was lost with success',
      source: `${resty} when the connection breaks`,
      caller: 'old control plane',
      async run({ provider, specimen, newId, specOf, pause }) {
        await specimen();
        const id = newId();
        const breaking = new AbortController();
        const lost = provider
          .create(id, { spec: specOf(id) }, { signal: breaking.signal })
          .catch(() => undefined);
        await pause(30);
        breaking.abort();
        await lost;
        const { status, json } = await provider.create(id, { spec: specOf(id) });
        must(status < 300, `the retry was answered ${status}`);
        must(idOf(json) === id, `the retry's resource is ${idOf(json)}`);
      },
    },
  ],
};
