import type { Group } from '../check.ts';
import { must } from '../outcome.ts';
import { idOf } from '../provider.ts';
import type { Session } from '../session.ts';

/** The id of a resource to delete. @throws NotConforming or Skipped where it cannot be created. */
const another = async ({ newId, specimen, create }: Session): Promise<string> => {
  await specimen();
  const id = newId();
  return idOf((await create(id)).json) ?? id;
};

const agent = 'environment-agent internal/routing/forwarder_test.go';

export const deleteChecks: Group = {
  title: 'Delete',
  checks: [
    {
      id: 'D1',
      sentence: 'answers DELETE with 204 and no body',
      source: 'AEP-135; utilities tests/e2e/sp_container_api_test.go (delete lifecycle)',
      async run(session) {
        const id = await another(session);
        const { status, text } = await session.provider.remove(id, {
          headers: { 'idempotency-key': session.newId() },
        });
        must(status === 204, `DELETE was answered ${status}`);
        must(text === '', 'the 204 has a body');
      },
    },
    {
      id: 'D2',
      sentence: 'answers a second DELETE of the same resource with success again',
      source: `${agent}: 404 fails the request for good, and DCM's row stays`,
      async run(session) {
        const id = await another(session);
        await session.provider.remove(id);
        const { status } = await session.provider.call('DELETE', { path: `/${id}` });
        must(status < 300, `the second DELETE was answered ${status}`);
      },
    },
    {
      id: 'D3',
      sentence: 'answers DELETE of an unknown id with success',
      source: `${agent}: 404 fails the request for good`,
      async run({ provider, newId }) {
        const { status } = await provider.call('DELETE', { path: `/${newId()}` });
        must(status < 300, `DELETE of an unknown id was answered ${status}`);
      },
    },
    {
      id: 'D4',
      sentence: 'does not crash on an id in a path that no resource can have',
      source: `${agent} (path escaping of resource_id)`,
      async run({ provider }) {
        for (const path of ['/a%2Fb', '/%00', '/..%2F..%2Fhealth', `/${'a'.repeat(300)}`]) {
          for (const method of ['GET', 'DELETE']) {
            const { status } = await provider.call(method, { path });
            must(status < 500, `${method} ${path.slice(0, 20)} was answered ${status}`);
          }
        }
      },
    },
    {
      id: 'D5',
      sentence: 'shows a deleted resource as DELETING or not at all, and finally not at all',
      source: 'utilities tests/e2e/sp_container_api_test.go (delete lifecycle)',
      async run(session) {
        const { provider, eventually } = session;
        const id = await another(session);
        await provider.remove(id);
        let seen = '';
        const isGone = await eventually(async () => {
          const { status, text } = await provider.read(id);
          seen = `${status} ${text.slice(0, 100)}`;
          return status === 404 || /"status":\s*"DELETED"/.test(text);
        });
        must(isGone, `GET still answers ${seen}`);
      },
    },
  ],
};
