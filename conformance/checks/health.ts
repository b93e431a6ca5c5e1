import * as z from 'zod';
import type { Group } from '../check.ts';
import { must } from '../outcome.ts';
import { agentFinds, controlPlaneFinds } from '../pollers.ts';

const longestMs = 5_000;
const polls = 5;

const Body = z.looseObject({
  version: z.string().min(1, 'version must not be empty'),
  uptime: z.int('uptime must be whole seconds').min(0),
});

export const healthChecks: Group = {
  title: 'Health',
  checks: [
    {
      id: 'H1',
      sentence: 'answers GET {endpoint}/health with exactly 200',
      source: 'environment-agent internal/health/monitor/checker.go',
      async run(session) {
        const { status } = await session.provider.health();
        must(status === 200, `health was answered ${status}`);
      },
    },
    {
      id: 'H2',
      sentence: 'is healthy for the control plane: "healthy" in lower case',
      source: 'control-plane internal/sp/healthcheck/monitor_test.go',
      caller: 'old control plane',
      async run(session) {
        const answer = await session.provider.health();
        const verdict = controlPlaneFinds(answer);
        must(verdict === 'healthy', `the control plane finds it ${verdict}: ${answer.text.slice(0, 200)}`);
      },
    },
    {
      id: 'H3',
      sentence: 'is healthy for the environment agent',
      source: 'environment-agent internal/health/monitor/checker_test.go',
      async run(session) {
        const answer = await session.provider.health();
        const verdict = agentFinds(answer);
        must(
          verdict === 'healthy',
          `the agent finds it ${verdict}: ${answer.status} ${answer.text.slice(0, 200)}`,
        );
      },
    },
    {
      id: 'H4',
      sentence: 'answers health as JSON, with its version and its uptime in whole seconds',
      source: 'utilities tests/e2e/sp_acm_cluster_api_test.go',
      async run(session) {
        const { contentType, json } = await session.provider.health();
        must(contentType.startsWith('application/json'), `health is answered as ${contentType || 'nothing'}`);
        const body = Body.safeParse(json);
        must(body.success, body.error ? z.prettifyError(body.error) : '');
      },
    },
    {
      id: 'H5',
      sentence: 'answers an uptime that increases',
      source: 'utilities tests/e2e/sp_acm_cluster_api_test.go',
      async run(session) {
        const before = Body.safeParse((await session.provider.health()).json).data?.uptime ?? Number.NaN;
        let after = before;
        await session.eventually(async () => {
          after = Body.safeParse((await session.provider.health()).json).data?.uptime ?? Number.NaN;
          return after > before; // several processes may answer in turn, each with its own
        });
        must(after > before, `uptime went from ${before} to ${after}`);
      },
    },
    {
      id: 'H6',
      sentence: 'answers each of five health checks within five seconds',
      source: 'environment-agent internal/health/monitor/monitor.go (AGENT_HEALTH_CHECK_TIMEOUT)',
      async run(session) {
        for (let poll = 0; poll < polls; poll += 1) {
          const { status, tookMs } = await session.provider.health();
          must(status === 200, `health was answered ${status}`);
          must(tookMs < longestMs, `health took ${tookMs} ms`);
        }
      },
    },
    {
      id: 'H7',
      sentence: 'does not allow the id "health", which would hide the health check',
      source: 'k8s-container-service-provider AC-HLT-050; service-provider AEP-122',
      async run({ provider, spec }) {
        const { status } = await provider.create('health', { spec });
        must(status === 400, `a create with the id "health" was answered ${status}, not 400`);
      },
    },
    {
      id: 'H8',
      sentence: 'answers health without credentials, and also with those in its endpoint',
      source:
        'environment-agent internal/health/monitor/checker.go: sends credentials only where the endpoint’s URL has them',
      async run(session) {
        const without = await session.provider.health();
        must(
          without.status === 200,
          `without credentials health was answered ${without.status}: an agent has none of its own`,
        );
        const withThem = await session.provider.call('GET', { path: '/health' });
        must(withThem.status === 200, `with credentials health was answered ${withThem.status}`);
      },
    },
  ],
};
