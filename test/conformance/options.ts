import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import * as z from 'zod';
import { collectionUrl } from './collection-url.ts';
import { provider } from './provider.ts';
import type { Spec } from './session.ts';
import { vocabularyOf } from './vocabulary.ts';

const Flags = z.object({
  provider: z.url('--provider must be a URL'),
  token: z.string().optional(),
  nats: z.url('--nats must be a URL').optional(),
  registryPort: z.coerce.number().int().min(1).max(65_535).optional(),
  spec: z.string().optional(),
  serviceType: z.string(),
  timeout: z.coerce.number().positive(),
  only: z.string().optional(),
  json: z.string().optional(),
});
export type Options = z.infer<typeof Flags>;

const command = () =>
  new Command('npm run conformance --')
    .description(
      'Checks whether a service provider does what DCM relies on. Creates about twenty resources there, and deletes them.',
    )
    .requiredOption(
      '--provider <url>',
      'the provider’s API, or its collection; credentials in it are sent as Basic',
    )
    .option('--token <token>', 'bearer token that the provider asks for')
    .option('--nats <url>', 'DCM’s NATS, to see the status events')
    .option(
      '--registry-port <port>',
      'stand in for DCM’s registry on this port, and wait for the provider to register',
    )
    .option('--spec <file>', 'JSON of the spec to create resources with')
    .option('--service-type <type>', 'vm, container, cluster or storage', 'vm')
    .option('--timeout <seconds>', 'how long a resource may take to run, or to be gone', '120')
    .option('--only <ids>', 'comma-separated checks or groups, such as H,C4')
    .option('--json <file>', 'write the outcomes there, too');

/** What the command line asks for. @throws Error that names the option. */
export const readOptions = (argv: readonly string[]): Options => {
  const flags = Flags.safeParse(
    command()
      .parse([...argv])
      .opts(),
  );
  if (flags.success) return flags.data;
  throw new Error(z.prettifyError(flags.error));
};

const smallVm: Spec = {
  service_type: 'vm',
  vcpu: { count: 1 },
  memory: { size: '1GB' },
  storage: { disks: [{ name: 'boot', capacity: '20GB' }] },
  guest_os: { type: 'rhel-9' },
};

/** The spec of what is created: the file's, or a small VM. @throws Error where there is no default, or the file has no spec. */
export const specOf = async ({ spec, serviceType }: Options): Promise<Spec> => {
  if (spec !== undefined)
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(spec, 'utf8')));
  if (serviceType === 'vm') return smallVm;
  throw new Error(`--service-type ${serviceType} needs --spec: a spec that the provider takes`);
};

/** The provider that the options mean. */
export const providerOf = ({ provider: url, token, serviceType }: Options) => {
  const { collection } = vocabularyOf(serviceType);
  return provider({ url: collectionUrl(url, collection), token, fetch, now: Date.now });
};
