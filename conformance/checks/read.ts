import * as z from 'zod';
import type { Group } from '../check.ts';
import { must } from '../outcome.ts';
import { idOf } from '../provider.ts';
import type { Session } from '../session.ts';
import { allIds, pages } from './pages.ts';
import { mustBeProblem } from './problem.ts';

/** The specimen and two more resources. */
const several = async ({ specimen, newId, create }: Session): Promise<string[]> => {
  const ids = [await specimen()];
  for (const id of [newId(), newId()]) ids.push(idOf((await create(id)).json) ?? id);
  return ids;
};

const aep = 'AEP-158; utilities tests/e2e/sp_container_api_test.go (pagination)';

export const readChecks: Group = {
  title: 'Get and list',
  checks: [
    {
      id: 'G1',
      sentence: 'answers GET of a resource with 200, its id, its path and a status of DCM',
      source: 'utilities tests/e2e/sp_container_api_test.go',
      async run({ provider, specimen, vocabulary }) {
        const id = await specimen();
        const { status, json } = await provider.read(id);
        must(status === 200, `GET was answered ${status}`);
        const resource = z
          .object({ id: z.literal(id), path: z.string(), status: z.string() })
          .safeParse(json);
        must(resource.success, `the answer lacks the id ${id}, path or status`);
        must(vocabulary.statuses.includes(resource.data.status), `status is "${resource.data.status}"`);
      },
    },
    {
      id: 'G2',
      sentence: 'answers GET of an unknown id with 404 as application/problem+json',
      source: 'utilities tests/e2e/sp_container_api_test.go',
      async run({ provider, newId }) {
        mustBeProblem(await provider.read(newId()), 404, 'GET of an unknown id');
      },
    },
    {
      id: 'G3',
      sentence:
        'lists its resources under "results", under the collection’s own name, or under both, each resource once',
      source: 'AEP-132; utilities tests/e2e/sp_container_api_test.go (key containers)',
      async run({ provider, specimen }) {
        const id = await specimen();
        const times = (await allIds(provider)).filter((one) => one === id).length;
        must(times === 1, `the list has ${id} ${times} times`);
      },
    },
    {
      id: 'G4',
      sentence: 'pages through the list without losing or repeating a resource',
      source: aep,
      async run(session) {
        const expected = await several(session);
        const found: string[] = [];
        for await (const page of pages(session.provider, 1)) {
          must(page.length <= 1, `a page of at most 1 has ${page.length}`);
          found.push(...page);
        }
        must(new Set(found).size === found.length, 'a resource is on two pages');
        must(
          expected.every((id) => found.includes(id)),
          'a resource is on no page',
        );
      },
    },
    {
      id: 'G5',
      sentence: 'lists in the same order each time',
      source: 'osac-service-provider internal/handlers/vm (page_token round trip)',
      async run(session) {
        const mine = new Set(await several(session));
        const read = async () => (await allIds(session.provider)).filter((id) => mine.has(id)).join();
        const [first, second] = [await read(), await read()];
        must(first === second, `the order was ${first}, then ${second}`);
      },
    },
    {
      id: 'G6',
      sentence:
        'refuses a page size that is not a number, or negative, with 400, and refuses or adapts others',
      source: aep,
      async run({ provider }) {
        for (const size of ['-1', 'many']) {
          mustBeProblem(
            await provider.call('GET', { path: `?max_page_size=${size}` }),
            400,
            `max_page_size=${size}`,
          );
        }
        for (const size of ['0', '101', '100000']) {
          const { status } = await provider.call('GET', { path: `?max_page_size=${size}` });
          must(status === 200 || status === 400, `max_page_size=${size} was answered ${status}`);
        }
      },
    },
    {
      id: 'G7',
      sentence: 'refuses a page token that it did not issue with 400',
      source: 'osac-service-provider internal/handlers/vm/list.go',
      async run({ provider }) {
        mustBeProblem(
          await provider.call('GET', { path: '?page_token=%21not-a-token' }),
          400,
          'a made-up page token',
        );
      },
    },
  ],
};
