import { randomUUID } from 'node:crypto';
import type { Group } from '../check.ts';
import { must, Skipped } from '../outcome.ts';
import { idOf } from '../provider.ts';
import { mustBeProblem } from './problem.ts';

const source = 'environment-agent internal/routing/forwarder.go (createExternal)';

export const agentChecks: Group = {
  title: 'Called by an environment agent',
  checks: [
    {
      id: 'B1',
      sentence: 'takes the bare spec, without "spec" around it, as the body of a create',
      source,
      async run({ provider, newId, specOf }) {
        const id = newId();
        const { status, text } = await provider.create(id, specOf(id));
        must(status < 300, `answered ${status}: ${text.slice(0, 200)}`);
      },
    },
    {
      id: 'B2',
      sentence:
        'makes nothing of an agent’s create that it cannot connect with a resource of DCM: 400, or 503 where it cannot look',
      source: `${source}: no id comes with it, and what DCM cannot name it cannot delete`,
      async run({ provider, spec }) {
        const answer = await provider.create(undefined, spec, {
          headers: { 'idempotency-key': randomUUID() },
        });
        must(answer.status >= 300, `it made ${idOf(answer.json)}, of which DCM will never know`);
        const status = answer.status === 503 ? 503 : 400;
        mustBeProblem(answer, status, 'a create with an Idempotency-Key of no request');
      },
    },
    {
      id: 'B3',
      sentence: 'finds the resource id of an agent’s create by its Idempotency-Key',
      source: `${source}: the key is the id of the request on dcm-agent-requests`,
      async run({ provider, newId, specOf, askAgent }) {
        if (askAgent === undefined)
          throw new Skipped('needs --nats URL, and a stream dcm-agent-requests there');
        const [id, key] = [newId(), randomUUID()];
        await askAgent(key, id, specOf(id));
        const answer = await provider.create(undefined, specOf(id), { headers: { 'idempotency-key': key } });
        if (answer.status === 400) throw new Skipped('the provider does not look there (it answers 400)');
        must(answer.status < 300, `answered ${answer.status}`);
        must(idOf(answer.json) === id, `it made ${idOf(answer.json)}, not ${id}`);
      },
    },
  ],
};
