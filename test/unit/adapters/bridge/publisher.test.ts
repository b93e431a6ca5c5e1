import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { bridgePublisher } from '../../../../shared/adapters/bridge/bridge.ts';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import type { CloudEventJson } from '../../../../shared/wire/cloudevents.ts';
import { mockedClient } from '../../../mocked-client.ts';

const lambda = mockedClient(LambdaClient);
const publisher = bridgePublisher(new LambdaClient({ region: 'us-east-1' }), 'nats-bridge');
const event: CloudEventJson = {
  specversion: '1.0',
  id: 'a',
  source: 'dcm/providers/ec2-sp',
  type: 'dcm.status.vm',
  subject: 'dcm.vm',
  data: { message: 'läuft' },
};
const acknowledged = [{ id: 'a', stream: 'dcm-status', seq: 7, duplicate: false }];
const answers = (payload: unknown, more: object = {}) =>
  lambda.on(InvokeCommand).callsFake(() => ({
    StatusCode: 200,
    Payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
    ...more,
  }));

beforeEach(() => void lambda.reset());

describe('publishing through the bridge', () => {
  it('invokes it with all events at once, and waits for what it answers', async () => {
    const answer = { acknowledged, failed: [{ id: 'b', retryable: true, reason: 'a must go first' }] };
    answers(answer);

    expect(await publisher.publish([event, { ...event, id: 'b' }])).toEqual(answer);
    const [invocation, ...more] = lambda.commandCalls(InvokeCommand).map(({ args }) => args[0].input);
    expect([invocation?.FunctionName, invocation?.InvocationType, more]).toEqual([
      'nats-bridge',
      undefined,
      [],
    ]);
    expect(JSON.parse(String(invocation?.Payload))).toEqual({ events: [event, { ...event, id: 'b' }] });
  });

  it.each([
    {
      what: 'fails',
      payload: { errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 10.00 seconds' },
      more: { FunctionError: 'Unhandled' },
      why: /Unhandled: .*timed out/,
    },
    { what: 'answers nothing', payload: '', more: {}, why: /JSON/ },
    { what: 'answers no payload', payload: '', more: { Payload: undefined }, why: /JSON/ },
    { what: 'answers garbage', payload: '<html>', more: {}, why: /JSON/ },
    { what: 'answers null', payload: null, more: {}, why: /./ },
    { what: 'answers something else', payload: { ok: true }, more: {}, why: /acknowledged/ },
    {
      what: 'does not say which event it means',
      payload: { acknowledged: [{ seq: 7 }], failed: [] },
      more: {},
      why: /id/,
    },
    { what: 'answers half', payload: { acknowledged }, more: {}, why: /failed/ },
  ])('is unavailable where the bridge $what', async ({ payload, more, why }) => {
    answers(payload, more);

    const publishing = publisher.publish([event]);

    await expect(publishing).rejects.toThrow(UnavailableError);
    await expect(publishing).rejects.toThrow('nats-bridge did not say what became of 1 events');
    await expect(publishing).rejects.toMatchObject({ cause: { message: expect.stringMatching(why) } });
  });

  it('is unavailable where the bridge cannot be invoked', async () => {
    lambda.on(InvokeCommand).rejects(new Error('TooManyRequestsException'));

    await expect(publisher.publish([event])).rejects.toThrow(UnavailableError);
  });

  it('invokes it several times where one invocation could be too large for Lambda, and never between the events of one key', async () => {
    lambda.on(InvokeCommand).callsFake(({ Payload }) => ({
      Payload: Buffer.from(
        JSON.stringify({
          acknowledged: JSON.parse(String(Payload)).events.map(({ id }: { id: string }) => ({
            ...{ id, stream: 'dcm-status', seq: 1, duplicate: false },
          })),
          failed: [],
        }),
      ),
    }));
    const events = ['i-1', 'i-2', 'i-3'].flatMap((partitionkey) =>
      Array.from({ length: 200 }, (_, n) => ({ ...event, id: `${partitionkey}:${n}`, partitionkey })),
    );

    const { acknowledged: all } = await publisher.publish(events);

    const invoked = lambda
      .commandCalls(InvokeCommand)
      .map(({ args }) => JSON.parse(String(args[0].input.Payload)));
    expect(invoked.map((request) => request.events.length)).toEqual([400, 200]);
    expect(all.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });

  it('passes on an answer that leaves an event out: whoever asked knows which', async () => {
    answers({ acknowledged: [], failed: [] });

    expect(await publisher.publish([event])).toEqual({ acknowledged: [], failed: [] });
  });
});
