import { describe, expect, it } from 'vitest';
import { handleRequest } from '../../../functions/nats-bridge/handle-request.ts';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { SettingsError, UnavailableError, UnreadableError } from '../../../shared/core/errors.ts';
import type { AgentRequests } from '../../../shared/ports/agent-requests.ts';
import type { NatsProbe } from '../../../shared/ports/health-probes.ts';
import type { NatsStreams } from '../../../shared/wire/bridge.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';

type Given = {
  readonly probe?: NatsProbe;
  readonly streams?: () => Promise<NatsStreams>;
} & Partial<AgentRequests>;

const bridge = ({
  probe = async () => ({ connected: true }),
  find = async () => null,
  check = async () => undefined,
  streams = async () => ({ names: [], statusStreams: [] }),
}: Given = {}) =>
  handleRequest({
    publisher: publishEvents(memoryEventStream()),
    probe,
    agentRequests: { find, check },
    ...{ requestStreams: ['dcm-agent-requests'], statusSubjects: ['dcm.vm', 'dcm.container'], streams },
    meter: countingMeter(),
    log: memoryLog(),
  });

describe('nats-bridge', () => {
  it('publishes events', async () => {
    const event = {
      specversion: '1.0',
      id: 'a',
      source: 'dcm/providers/ec2-sp',
      type: 'dcm.status.vm',
      subject: 'dcm.vm',
    };

    expect(await bridge()({ events: [event] })).toMatchObject({ acknowledged: [{ id: 'a' }], failed: [] });
  });

  it('says whether statuses can be published now', async () => {
    const reason = 'NATS cannot be connected';

    expect(await bridge()({ do: 'probe' })).toEqual({ connected: true });
    const down = bridge({ probe: async () => ({ connected: false, reason }) });
    expect(await down({ do: 'probe' })).toEqual({ connected: false, reason });
  });

  it('lists the streams that there are, and those on which requests are looked up (Y 9)', async () => {
    const statusStreams = [{ name: 'dcm-status', duplicateWindowMs: 120_000 }];
    const streams = async () => ({ names: ['dcm-status', 'ec2-retry'], statusStreams });

    expect(await bridge({ streams })({ do: 'list-streams' })).toEqual({
      ...{ names: ['dcm-status', 'ec2-retry'], statusStreams, requestStreams: ['dcm-agent-requests'] },
      statusSubjects: ['dcm.vm', 'dcm.container'],
    });
  });

  it('says why requests to environment agents cannot be read, although statuses can be published', async () => {
    const unreadableRequests = 'the NATS user may not publish on $JS.API.STREAM.MSG.GET.ec2-retry';
    const check = async () => unreadableRequests;
    const down = { connected: false, reason: 'no stream' } as const;

    expect(await bridge({ check })({ do: 'probe' })).toEqual({ connected: true, unreadableRequests });
    expect(await bridge({ check, probe: async () => down })({ do: 'probe' })).toEqual(down);
  });

  it('finds the resource that an agent’s create is for, or says that there is no such request', async () => {
    const request = { resourceId: 'vm-1', serviceType: 'vm' };
    const handle = bridge({ find: async (key) => (key === 'request-1' ? request : null) });

    expect(await handle({ do: 'find-request', idempotencyKey: 'request-1' })).toEqual(request);
    expect(await handle({ do: 'find-request', idempotencyKey: 'request-2' })).toEqual({ resourceId: null });
  });

  it.each([new SettingsError('not configured'), new UnavailableError('no permission')])(
    'throws %s where it cannot look',
    async (error) => {
      const handle = bridge({ find: () => Promise.reject(error) });

      await expect(handle({ do: 'find-request', idempotencyKey: 'request-1' })).rejects.toBe(error);
    },
  );

  it.each([
    undefined,
    null,
    'events',
    [],
    {},
    { events: {} },
    { Records: [] },
    { do: 'dance' },
    { do: 'find-request' },
    { do: 'find-request', idempotencyKey: '' },
  ])('throws where the request is %j, and says what it takes', async (request) => {
    await expect(bridge()(request)).rejects.toThrow(UnreadableError);
    await expect(bridge()(request)).rejects.toThrow(/"events".*"probe".*"idempotencyKey"/);
  });
});
