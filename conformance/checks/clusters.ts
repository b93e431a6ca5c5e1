import * as z from 'zod';
import type { Group } from '../check.ts';
import { dataOf, statusOf } from '../lifetime.ts';
import { must, Skipped } from '../outcome.ts';
import { idOf } from '../provider.ts';
import type { Session } from '../session.ts';
import { mustBeProblem, mustNotFindUnknown } from './problem.ts';

const acm = 'utilities tests/e2e/sp_acm_cluster_api_test.go';
const spec = 'control-plane api/catalog/v1alpha1/servicetypes/cluster/spec.yaml';

/** What a cluster must have once it is active, and must not have before. */
const Connection = z.looseObject({
  api_endpoint: z.string('api_endpoint must be a text').optional(),
  kubeconfig: z.string('kubeconfig must be a text').optional(),
});

const connectionOf = (json: unknown) => {
  const { data, error } = Connection.safeParse(json);
  must(data !== undefined, error ? z.prettifyError(error) : '');
  return { endpoint: data.api_endpoint ?? '', kubeconfig: data.kubeconfig ?? '' };
};

/** The id of a cluster that is active. @throws NotConforming where it does not become active. */
const activeCluster = async (session: Session): Promise<string> => {
  const { specimen, eventually, vocabulary } = session;
  const id = await specimen();
  const isActive = async () => {
    const { json } = await session.provider.read(id);
    const resource = z.looseObject({ status: z.string() }).safeParse(json).data;
    return vocabulary.ready.includes(resource?.status ?? '');
  };
  must(await eventually(isActive), `GET of ${id} did not answer ${vocabulary.ready.join(' or ')} in time`);
  return id;
};

export const clusterChecks: Group = {
  title: 'Clusters',
  serviceType: 'cluster',
  checks: [
    {
      id: 'K1',
      sentence: 'answers health with a type and the path "health"',
      source: acm,
      async run({ provider }) {
        const { json } = await provider.health();
        const health = z.looseObject({ type: z.string().min(1), path: z.literal('health') }).safeParse(json);
        must(health.success, health.error ? z.prettifyError(health.error) : '');
      },
    },
    {
      id: 'K2',
      sentence:
        'refuses a spec with a number for the service type and a truth value for the version with 400',
      source: acm,
      async run(session) {
        const body = { spec: { ...session.spec, service_type: 123, version: true } };
        const id = session.newId();
        mustBeProblem(await session.provider.create(id, body), 400, 'such a spec');
      },
    },
    {
      id: 'K3',
      sentence: 'refuses a version that it does not offer with 400 or 422, and creates nothing',
      source: 'acm-cluster-service-provider internal/cluster/create.go (unsupported version)',
      async run(session) {
        const { provider, newId, specOf } = session;
        const id = newId();
        const answer = await provider.create(id, { spec: { ...specOf(id), version: '0.1' } });
        mustBeProblem(answer, answer.status === 422 ? 422 : 400, 'the version 0.1');
        const { status } = await session.provider.read(id);
        must(status === 404, `the version 0.1 was refused, but GET finds the cluster (${status})`);
      },
    },
    {
      id: 'K4',
      sentence: 'lists under "clusters"',
      source: acm,
      async run({ provider, specimen }) {
        await specimen();
        const { json } = await provider.call('GET');
        const page = z.looseObject({ clusters: z.array(z.unknown()) }).safeParse(json);
        must(page.success, 'the list has no "clusters"');
      },
    },
    {
      id: 'K5',
      sentence: 'answers GET and DELETE of an unknown id with 404',
      source: acm,
      run: mustNotFindUnknown,
    },
    {
      id: 'K6',
      sentence: 'shows neither API endpoint nor kubeconfig of a cluster that was just created',
      source: `${spec}: both are empty until the cluster is ready`,
      async run(session) {
        await session.specimen();
        const id = session.newId();
        const made = idOf((await session.create(id)).json) ?? id;
        const { json } = await session.provider.read(made);
        const { status } = z.looseObject({ status: z.string() }).parse(json);
        if (session.vocabulary.ready.includes(status)) throw new Skipped('the cluster was active at once');
        const { endpoint, kubeconfig } = connectionOf(json);
        must(endpoint === '', `api_endpoint is ${endpoint}`);
        must(kubeconfig === '', 'it has a kubeconfig');
      },
    },
    {
      id: 'K7',
      sentence: 'shows API endpoint and kubeconfig, in base64, of a cluster that is active',
      source: spec,
      async run(session) {
        const id = await activeCluster(session);
        const { endpoint, kubeconfig } = connectionOf((await session.provider.read(id)).json);
        must(/^https:\/\/./.test(endpoint), `api_endpoint is "${endpoint}"`);
        const config = Buffer.from(kubeconfig, 'base64').toString();
        must(config.includes(endpoint), `kubeconfig does not lead to ${endpoint}: ${config.slice(0, 100)}`);
      },
    },
    {
      id: 'K8',
      sentence: 'gives no kubeconfig away in its list',
      source: 'osac-service-provider internal/handlers/cluster (list)',
      async run(session) {
        const id = await activeCluster(session);
        const { json } = await session.provider.call('GET', { path: '?max_page_size=100' });
        const page = z
          .looseObject({
            clusters: z.array(z.looseObject({ id: z.string(), kubeconfig: z.string().optional() })),
          })
          .safeParse(json);
        must(page.success, 'the list has no "clusters" with ids');
        const shown = page.data.clusters.find((one) => (one.kubeconfig ?? '') !== '');
        must(shown === undefined, `the list has the kubeconfig of ${shown?.id ?? id}`);
      },
    },
    {
      id: 'K9',
      sentence: 'publishes the API endpoint as an output of a cluster that is active',
      source: `${spec}; control-plane internal/cel/bind.go`,
      needs: '--nats',
      async run(session) {
        const { events } = await session.lifetime();
        const active = events.find((event) => session.vocabulary.ready.includes(statusOf(event) ?? ''));
        must(active !== undefined, `${session.vocabulary.ready.join(' or ')} was not published`);
        const outputs = z.looseObject({ api_endpoint: z.string().startsWith('https://') });
        const given = dataOf(active).output_spec;
        must(outputs.safeParse(given).success, `output_spec is ${JSON.stringify(given)}`);
      },
    },
  ],
};
