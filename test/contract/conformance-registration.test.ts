import { expect, it } from 'vitest';
import { registrationChecks } from '../../conformance/checks/registration.ts';
import { openSession } from '../../conformance/open-session.ts';
import { provider } from '../../conformance/provider.ts';
import { registry } from '../../conformance/registry.ts';
import { runChecks } from '../../conformance/run.ts';
import { vocabularyOf } from '../../conformance/vocabulary.ts';
import { handleRequest } from '../../functions/registration/handle-request.ts';
import { serve } from '../../local/processes/loopback.ts';
import { bearerTokens } from '../../shared/adapters/dcm/bearer-tokens.ts';
import { httpProviderRegistry } from '../../shared/adapters/dcm/provider-registry.ts';
import { memoryRegistrations } from '../fakes/memory-registrations.ts';
import { countingMeter, memoryLog } from '../fakes/silent.ts';

it('conforms to what an environment agent that wants a token expects of a registration (R9)', async () => {
  const agent = registry({ token: 'agent-token' });
  await using server = await serve(agent.fetch);
  const client = { tokenEndpoint: `${server.url}/token`, clientId: 'ec2-sp', clientSecret: 'dcm/agent' };
  const tokens = bearerTokens(client, async () => 'secret');
  const clock = { ms: 1_790_000_000_000 };
  const now = () => clock.ms;
  const endpoint = 'http://127.0.0.1:9';
  const ask = handleRequest({
    settings: {
      ...{ name: 'ec2-sp', homeRegion: 'eu-west-1', publicUrl: endpoint },
      registries: { 'eu-west-1': { kind: 'agent', url: server.url, endpointCredentials: false } },
    },
    registryOf: () => httpProviderRegistry(server.url, { tokens }),
    ...{ secret: async () => undefined, registrations: memoryRegistrations() },
    ...{
      listings: { requestRepublication: async () => undefined },
      now,
      log: memoryLog(),
      meter: countingMeter(),
    },
  });
  const session = openSession({
    provider: provider({ url: new URL(`${endpoint}/api/v1alpha1/vms`), token: undefined, fetch, now }),
    ...{ serviceType: 'vm', vocabulary: vocabularyOf('vm'), spec: {}, timeoutMs: 3_600_000 },
    ...{ registry: agent, fetch, now },
    pause: async () => {
      clock.ms += 60_000; // the schedule's minute
      await ask({ do: 'keep-registered' });
    },
  });

  const results = await runChecks([registrationChecks], session);

  const others = results.flatMap((one) =>
    one.verdict === 'pass' ? [] : [`${one.id} ${one.verdict}: ${one.reason}`],
  );
  expect(others).toEqual([]);
  expect(results.map(({ id }) => id)).toContain('R9');
});
