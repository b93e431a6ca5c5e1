import { afterAll, beforeAll, expect, it } from 'vitest';
import { conformance } from '../../conformance/conformance.ts';
import { groupsFor } from '../../conformance/groups.ts';
import { agentName } from '../../local/stack/options.ts';
import { type WatchedStack, watchedStack } from './stack.ts';

let stack: WatchedStack;
beforeAll(async () => {
  stack = await watchedStack({});
});
afterAll(() => stack[Symbol.asyncDispose]());

/** The provider is registered already: what registration takes is tested by test/contract/conformance-registration.test.ts. */
const served = groupsFor('vm').filter(({ needs }) => needs !== '--registry-port');

it('conforms to everything that today’s DCM relies on, behind an environment agent', async () => {
  const { natsUrl, providerApiUrl, providerApiToken: token } = stack.endpoints;
  const nats = { nats: natsUrl, agentTopic: agentName };
  const options = { provider: providerApiUrl, token, ...nats, serviceType: 'vm', timeout: 60 };

  const results = await conformance(options, served, {
    cancel: new AbortController().signal,
    onResult: () => undefined,
    say: () => undefined,
  });

  const others = results.flatMap((one) =>
    one.verdict === 'pass' ? [] : [`${one.id} ${one.verdict}: ${one.reason}`],
  );
  expect(others).toEqual([]);
  expect(new Set(results.map(({ id }) => id.charAt(0)))).toEqual(new Set('HCFGDIBAEO'));
});
