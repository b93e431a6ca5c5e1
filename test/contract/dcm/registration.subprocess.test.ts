import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examine } from '../../../cli/doctor/examine.ts';
import { handleRequest as bridgeRequests } from '../../../functions/nats-bridge/handle-request.ts';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { handleRequest } from '../../../functions/registration/handle-request.ts';
import { startEnvironmentAgent } from '../../../local/emulators/dcm/environment-agent/start.ts';
import { httpProviderRegistry } from '../../../shared/adapters/dcm/provider-registry.ts';
import { natsAgentRequests } from '../../../shared/adapters/nats/agent-requests.ts';
import { natsLink } from '../../../shared/adapters/nats/connection.ts';
import { natsEventStream } from '../../../shared/adapters/nats/event-stream.ts';
import { natsProbe } from '../../../shared/adapters/nats/probe.ts';
import { natsStreams } from '../../../shared/adapters/nats/streams.ts';
import { memoryRegistrations } from '../../fakes/memory-registrations.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { issuer } from '../../unit/adapters/issuer.ts';
import { startTestNats } from '../nats.ts';
import { registration } from '../provider-registry.ts';
import { type AgentAlone, describeEachAgent, standIn, startAgentAlone } from './environment-agents.ts';

const at = (seconds: number) => ({
  ...registration,
  endpoint: 'http://127.0.0.1:9/api/v1alpha1/vms',
  metadata: { ...registration.metadata, registered_at: new Date(seconds * 1000).toISOString() },
});
const sentAt = 1_790_000_000;

describeEachAgent(
  (title) => `registration at an environment agent, ${title}`,
  (subject) => {
    let agent: AgentAlone;
    afterEach(() => agent[Symbol.asyncDispose]());

    describe('with nothing for VMs', () => {
      beforeEach(async () => {
        agent = await startAgentAlone(subject);
      });

      it('survives a restart of the agent with its time, so that nothing counts as lost (Y 3)', async () => {
        const before = await httpProviderRegistry(agent.url()).register('ec2-1', at(sentAt));
        await agent.stop();
        await agent.start();

        const registry = httpProviderRegistry(agent.url());
        const found = await registry.find('ec2-1');
        const after = await registry.register('ec2-1', at(sentAt + 60));

        expect(before).toMatchObject({ outcome: 'registered', isNew: true });
        expect(found).toMatchObject({ registeredAt: sentAt });
        expect(after).toMatchObject({
          outcome: 'registered',
          isNew: false,
          held: { registeredAt: sentAt + 60 },
        });
        expect(found?.createdAt).toBeTypeOf('number');
      });
    });

    it('is refused with advice when the agent serves VMs itself (Y 3)', async () => {
      agent = await startAgentAlone(subject, { embedded: ['vm'] });

      expect(await httpProviderRegistry(agent.url()).register('ec2-1', at(sentAt))).toEqual({
        outcome: 'refused',
        detail: expect.stringMatching(
          /^HTTP 409: .*'vm'.*take vm out of its AGENT_EMBEDDED_SPS and restart it$/,
        ),
        isConflict: true,
      });
    });
  },
);

describe('registration at an environment agent that wants a token', () => {
  it('is accepted with one of its issuer, after the first had expired (Y 3)', async () => {
    await using sso = await issuer();
    await using nats = await startTestNats();
    await using agent = await startEnvironmentAgent({
      ...{ name: 'a-1', natsUrl: nats.server.url, controlPlaneUrl: 'http://127.0.0.1:9', issuer: sso.trust },
      log: () => undefined,
    });
    const expired = await sso.sign({ exp: 1 });
    const valid = await sso.sign();
    const tokens = { current: async () => expired, renewed: async () => valid };

    const without = await httpProviderRegistry(agent.url).register('ec2-1', at(sentAt));
    const withOne = await httpProviderRegistry(agent.url, { tokens }).register('ec2-1', at(sentAt));

    expect(without).toMatchObject({ outcome: 'refused', detail: expect.stringMatching(/^HTTP 401: /) });
    expect(withOne).toMatchObject({ outcome: 'registered', isNew: true });
  });
});

const healthy = { status: 'healthy', version: '1', uptime: 0, type: 'ec2-sp.dcm.io/health', path: 'health' };

/** Health is answered without a token; the doctor's other request has a token that nobody has. */
const answerOfHealthyApi = (request: object) =>
  'rawPath' in request && String(request.rawPath).endsWith('/health')
    ? { statusCode: 200, body: JSON.stringify(healthy) }
    : { statusCode: 401, body: '' };

describe('npm run doctor, by the functions as they are, an environment agent and NATS', () => {
  it.each([
    { embedded: [], topic: 'a-1', wrong: [] },
    {
      ...{ embedded: ['vm'], topic: 'a-2' },
      wrong: [
        expect.stringMatching(
          /serves VMs by its embedded provider vm\. Take vm out of its AGENT_EMBEDDED_SPS/,
        ),
        expect.stringMatching(/^NATS has no stream a-2-retry\. .* Streams of agents there are: a-1-retry\.$/),
      ],
    },
  ])(
    'reports with embedded providers $embedded and the topic $topic what has to be changed (Y 9)',
    async (given) => {
      await using agent = await startAgentAlone(standIn, { embedded: given.embedded });
      await agent.createStatusStream();
      const link = natsLink([agent.natsUrl], async () => ({}));
      const requestStreams = ['dcm-agent-requests', `${given.topic}-retry`];
      const telling = { log: memoryLog(), meter: countingMeter() };
      const bridge = bridgeRequests({
        ...{ publisher: publishEvents(natsEventStream(link)), probe: natsProbe(link, ['dcm.vm']) },
        ...{ agentRequests: natsAgentRequests(link, requestStreams), requestStreams, ...telling },
        statusSubjects: ['dcm.vm'],
        streams: natsStreams(link, ['dcm.vm']),
      });
      const ask = handleRequest({
        settings: {
          ...{ name: 'ec2-sp', homeRegion: 'eu-west-1', publicUrl: 'http://127.0.0.1:9' },
          registries: { 'eu-west-1': { kind: 'agent', url: agent.url(), endpointCredentials: false } },
        },
        registryOf: () => httpProviderRegistry(agent.url()),
        ...{ secret: async () => undefined, registrations: memoryRegistrations() },
        ...{ listings: { requestRepublication: async () => undefined }, now: Date.now, ...telling },
      });
      await ask({ do: 'register' });

      const findings = await examine(async (box, request) => {
        if (box === 'provider-api') return answerOfHealthyApi(request);
        if (box === 'poller') return { regions: [] };
        return box === 'registration' ? ask(request) : bridge(request);
      });
      link.abandon();

      const isAboutHealth = (says: string) => says.includes('which calls it Unhealthy'); // nobody answers at 127.0.0.1:9
      expect(
        findings.filter(({ isWrong, says }) => isWrong && !isAboutHealth(says)).map(({ says }) => says),
      ).toEqual(given.wrong);
      expect(findings.map(({ says }) => says)).toEqual(
        expect.arrayContaining([
          'NATS takes statuses.',
          'The stream dcm-status drops a status that it has had within 120 s.',
        ]),
      );
    },
  );
});
