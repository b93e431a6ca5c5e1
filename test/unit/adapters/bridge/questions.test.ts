import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { bridgeAgentRequests, bridgeProbe } from '../../../../shared/adapters/bridge/bridge.ts';
import { SettingsError, UnavailableError } from '../../../../shared/core/errors.ts';
import { mockedClient } from '../../../mocked-client.ts';

const lambda = mockedClient(LambdaClient);
const client = new LambdaClient({ region: 'us-east-1' });
const requests = bridgeAgentRequests(client, 'nats-bridge');
const probe = bridgeProbe(client, 'nats-bridge');

const answers = (payload: unknown, more: object = {}) =>
  lambda.on(InvokeCommand).callsFake(() => ({ Payload: Buffer.from(JSON.stringify(payload)), ...more }));
const fails = (errorType: string, errorMessage: string) =>
  answers({ errorType, errorMessage, trace: [] }, { FunctionError: 'Unhandled' });
const asked = () => {
  const [call] = lambda.commandCalls(InvokeCommand);
  return [call?.args[0].input.FunctionName, JSON.parse(String(call?.args[0].input.Payload))];
};

beforeEach(() => void lambda.reset());

describe('asking the bridge for NATS', () => {
  it.each([
    { connected: true },
    { connected: true, unreadableRequests: 'not permitted' },
    { connected: false, reason: 'no stream' },
  ])('passes on %j', async (state) => {
    answers(state);

    expect(await probe()).toEqual(state);
    expect(asked()).toEqual(['nats-bridge', { do: 'probe' }]);
  });

  it.each([
    { what: 'fails', reply: () => fails('UnavailableError', 'broken'), why: 'broken' },
    { what: 'answers something else', reply: () => answers({ ok: true }), why: 'connected' },
    {
      what: 'cannot be invoked',
      reply: () => lambda.on(InvokeCommand).rejects(new Error('AccessDenied')),
      why: 'AccessDenied',
    },
  ])('takes a bridge that $what for a reason, and throws nothing', async ({ reply, why }) => {
    reply();

    expect(await probe()).toEqual({
      connected: false,
      reason: expect.stringMatching(new RegExp(`^nats-bridge did not answer: .*${why}`, 's')),
    });
  });
});

describe('asking the bridge for an agent’s request', () => {
  it.each([
    { answer: { resourceId: null }, found: null },
    { answer: { resourceId: 'vm-1' }, found: { resourceId: 'vm-1' } }, // by an earlier version
    {
      answer: { resourceId: 'vm-1', serviceType: 'vm' },
      found: { resourceId: 'vm-1', serviceType: 'vm' },
    },
  ])('answers $found', async ({ answer, found }) => {
    answers(answer);

    expect(await requests.find('r-1')).toEqual(found);
    expect(asked()).toEqual(['nats-bridge', { do: 'find-request', idempotencyKey: 'r-1' }]);
  });

  it('is a matter of settings where the bridge says so', async () => {
    fails('SettingsError', 'AGENT_REQUESTS_STREAM is not set');

    await expect(requests.find('r-1')).rejects.toThrow(SettingsError);
    await expect(requests.find('r-1')).rejects.toThrow('AGENT_REQUESTS_STREAM is not set');
  });

  it.each([
    {
      what: 'lacks a permission',
      reply: () => fails('UnavailableError', 'may not publish on $JS.API'),
      why: '$JS',
    },
    { what: 'times out', reply: () => fails('Sandbox.Timedout', 'timed out'), why: 'timed out' },
    { what: 'answers nothing that is known', reply: () => answers({}), why: 'resourceId' },
    { what: 'answers a number', reply: () => answers({ resourceId: 7 }), why: 'resourceId' },
  ])('is unavailable where the bridge $what', async ({ reply, why }) => {
    reply();

    await expect(requests.find('r-1')).rejects.toThrow(UnavailableError);
    await expect(requests.find('r-1')).rejects.toThrow(why);
    await expect(requests.find('r-1')).rejects.toThrow('which resource the request r-1 is for');
  });
});
