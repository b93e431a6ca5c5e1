import type { Group } from '../check.ts';
import { must } from '../outcome.ts';
import type { Call } from '../provider.ts';
import type { Session } from '../session.ts';
import { mustBeProblem } from './problem.ts';

const refused = async ({ provider, newId }: Session, what: string, body: Call['body'], call: Call = {}) => {
  const id = newId();
  mustBeProblem(await provider.create(id, body, call), 400, what);
  const { status } = await provider.read(id);
  must(status === 404, `${what} was refused, but GET finds the resource (${status})`);
};

const source = 'utilities tests/e2e/sp_container_api_test.go';

export const refusalChecks: Group = {
  title: 'Refusals: 400 as application/problem+json, and nothing is created',
  checks: [
    {
      id: 'F1',
      sentence: 'refuses a create with an empty body',
      source,
      run: (session) => refused(session, 'an empty body', ''),
    },
    {
      id: 'F2',
      sentence: 'refuses a create whose spec is empty',
      source,
      run: (session) => refused(session, 'an empty object', {}),
    },
    {
      id: 'F3',
      sentence: 'refuses a create whose spec is a text or a list',
      source,
      async run(session) {
        await refused(session, 'a text for a spec', { spec: 'small' });
        await refused(session, 'a list for a spec', { spec: [session.spec] });
      },
    },
    {
      id: 'F4',
      sentence: 'refuses a create whose body is not JSON',
      source,
      run: (session) => refused(session, 'text that is not JSON', '{"spec":'),
    },
    {
      id: 'F5',
      sentence: 'refuses a create that is not sent as JSON',
      source,
      run: (session) =>
        refused(session, 'a text/plain body', JSON.stringify({ spec: session.spec }), {
          headers: { 'content-type': 'text/plain' },
        }),
    },
  ],
};
