import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import * as z from 'zod';
import type { Need } from './check.ts';
import { reasonOf } from './outcome.ts';
import { collectionUrl, provider } from './provider.ts';
import type { Spec } from './session.ts';
import { vocabularyOf } from './vocabulary.ts';

const notAPort = '--registry-port must be a port: 1 to 65535';

const Flags = z.object({
  provider: z.url({ protocol: /^https?$/, error: '--provider must be a URL, http:// or https://' }),
  token: z.string().optional(),
  nats: z
    .url({
      protocol: /^(nats|tls|wss?)$/,
      hostname: /./,
      error: '--nats must be a URL such as nats://host:4222',
    })
    .optional(),
  agentTopic: z
    .string()
    .regex(
      /^(?!dcm\.agent\.)[^.\s*>]{1,239}$/,
      '--agent-topic must be the agent’s AGENT_TOPIC_NAME, without dots',
    )
    .optional(),
  registryPort: z.coerce.number(notAPort).int(notAPort).min(1, notAPort).max(65_535, notAPort).optional(),
  registryToken: z.string().min(1, '--registry-token must not be empty').optional(),
  restartNats: z.string().min(1, '--restart-nats must not be empty').optional(),
  stopOutside: z.string().min(1, '--stop-outside must not be empty').optional(),
  controlPlane: z
    .url({ protocol: /^https?$/, error: '--control-plane must be a URL, http:// or https://' })
    .optional(),
  spec: z.string().optional(),
  serviceType: z.string(),
  timeout: z.coerce.number('--timeout must be seconds').positive('--timeout must be more than 0 seconds'),
  only: z.string().optional(),
  json: z.string().optional(),
});
export type Options = z.infer<typeof Flags>;

const command = () =>
  new Command('npm run conformance --')
    .description(
      'Checks whether a service provider does what DCM relies on. Creates about twenty resources at the provider, and deletes them.',
    )
    .requiredOption(
      '--provider <url>',
      'the provider’s API, or its collection; credentials in it are sent as Basic',
    )
    .option('--token <token>', 'bearer token for the provider')
    .option('--nats <url>', 'DCM’s NATS, to see the status events and to publish agents’ requests')
    .option('--agent-topic <topic>', 'AGENT_TOPIC_NAME of the provider’s agent, for the stream {topic}-retry')
    .option(
      '--registry-port <port>',
      'emulate an environment agent on this port, and wait for the provider to register',
    )
    .option('--registry-token <token>', 'require this bearer token at registration')
    .option('--restart-nats <command>', 'shell command that restarts NATS, and keeps its streams')
    .option(
      '--stop-outside <command>',
      'shell command that stops what runs for the resource $RESOURCE_ID, without the provider',
    )
    .option('--control-plane <url>', 'older control plane of DCM at which the provider is registered')
    .option('--spec <file>', 'JSON of the spec to create resources with')
    .option('--service-type <type>', 'vm, container, cluster or storage', 'vm')
    .option('--timeout <seconds>', 'how long a resource may take to run, or to be deleted', '120')
    .option('--only <ids>', 'comma-separated checks or groups, such as H,C4')
    .option('--json <file>', 'also write the results to this file');

/** Parses the command line. @throws Error that names the option. */
export const readOptions = (argv: readonly string[]): Options => {
  const flags = Flags.safeParse(
    command()
      .parse([...argv])
      .opts(),
  );
  if (flags.success) return flags.data;
  const reasons = new Set(flags.error.issues.map(({ message }) => message));
  throw new Error([...reasons].join('; '));
};

/** Whether the options contain what a check needs. */
export const givenBy = (options: Options) => {
  const given: Readonly<Record<Need, unknown>> = {
    '--registry-port': options.registryPort,
    '--registry-token': options.registryToken,
    '--nats': options.nats,
    '--agent-topic': options.agentTopic,
    '--token': options.token ?? (new URL(options.provider).username || undefined),
    '--restart-nats': options.restartNats,
    '--stop-outside': options.stopOutside,
    '--control-plane': options.controlPlane,
  };
  return (need: Need): boolean => given[need] !== undefined;
};

const smallVm: Spec = {
  service_type: 'vm',
  vcpu: { count: 1 },
  memory: { size: '1GB' },
  storage: { disks: [{ name: 'boot', capacity: '20GB' }] },
  guest_os: { type: 'rhel-9' },
};

/** As DCM's own test suite creates containers. @see https://github.com/dcm-project/utilities (tests/e2e/sp_helpers_test.go) */
const smallContainer: Spec = {
  service_type: 'container',
  image: { reference: 'docker.io/library/nginx:alpine' },
  resources: { cpu: { min: 1, max: 1 }, memory: { min: '128MB', max: '256MB' } },
  network: { ports: [{ container_port: 80, visibility: 'internal' }] },
};

/** A cluster without nodes, which providers then choose. */
const smallCluster: Spec = { service_type: 'cluster', version: '1.34' };

const defaultSpecs: Readonly<Record<string, Spec>> = {
  vm: smallVm,
  container: smallContainer,
  cluster: smallCluster,
};

/** The spec of the resources to create: the file's, or a small one of the service type. @throws Error where there is no default, or the file contains no spec. */
export const specOf = async ({ spec, serviceType }: Options): Promise<Spec> => {
  if (spec !== undefined) return readSpec(spec);
  const small = defaultSpecs[serviceType];
  if (small !== undefined) return small;
  throw new Error(`--service-type ${serviceType} needs --spec: a spec that the provider takes`);
};

const readSpec = async (file: string): Promise<Spec> => {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it must be a JSON object' : reasonOf(error);
    throw new Error(`--spec ${file} cannot be read: ${reason}`);
  }
};

/** A client of the provider that the options name. */
export const providerOf = ({ provider: url, token, serviceType }: Options) => {
  const { collection } = vocabularyOf(serviceType);
  return provider({ url: collectionUrl(url, collection), token, fetch, now: Date.now });
};
