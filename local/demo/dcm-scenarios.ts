import { randomUUID } from 'node:crypto';
import { clusterSpec, containerSpec, type DemoSpec } from './catalog-item.ts';
import type { DemoResource } from './check-statuses.ts';
import type { DcmUser } from './dcm-user.ts';

const timeoutMs = 60_000;

type Context = {
  readonly dcm: DcmUser;
  /** Waits until DCM has stored this status of the resource. @throws where it has not in time */
  readonly reaches: (id: string, status: string, timeoutMs: number) => Promise<unknown>;
  readonly print: (line: string) => void;
  /** Called with a resource before its create, and again where DCM gives it another id. */
  readonly onCreated?: (resource: DemoResource) => void;
};

/** Status of a container that is starting: an older DCM, which calls providers itself, expects another one. */
const startingStatus = ({ deletesFailed }: DcmUser): string => (deletesFailed ? 'provisioning' : 'pending');

/**
 * Creates three containers through DCM at the same time: one that runs until it is deleted, one whose image does not exist, and one that
 * exits with code 0. Each is deleted, by the user or by DCM.
 * @throws UnavailableError where DCM does not get a status in time
 */
export const runContainersScenario = async (context: Context): Promise<void> => {
  const { dcm, reaches, print } = context;
  const starting = startingStatus(dcm);
  await dcm.isReady('container', timeoutMs);
  print('A user of DCM creates three containers: shop-1 is a web server, pull-1 has no image, job-1 exits.');

  const shop = async () => {
    const expected = [starting, 'running', 'deleting', 'deleted'];
    const id = await create(context, containerSpec('shop-1'), expected);
    await reaches(id, 'running', timeoutMs);
    await dcm.delete(id);
    print('A user of DCM deletes shop-1.');
  };
  const pull = async () => {
    const spec = containerSpec('pull-1', { image: 'quay.io/nonexistent/image:fake' });
    const id = await create(context, spec, [starting, 'failed', 'deleted']);
    await reaches(id, 'failed', timeoutMs);
    if (!dcm.deletesFailed) await dcm.delete(id);
    print(`The image of pull-1 cannot be pulled: ${dcm.deletesFailed ? 'DCM' : 'a user of DCM'} deletes it.`);
  };
  const job = async () => {
    const spec = containerSpec('job-1', { command: ['true'] });
    const id = await create(context, spec, [starting, 'running', 'succeeded', 'deleted']);
    await reaches(id, 'succeeded', timeoutMs);
    await dcm.delete(id);
    print('job-1 has exited with code 0, and a user of DCM deletes it.');
  };
  await Promise.all([shop(), pull(), job()]);
};

/**
 * Creates a Kubernetes cluster through DCM, waits until it is active, and deletes it.
 * @throws UnavailableError where DCM does not get a status in time
 */
export const runClusterScenario = async (context: Context): Promise<void> => {
  const { dcm, reaches, print } = context;
  await dcm.isReady('cluster', timeoutMs);
  print('A user of DCM creates the cluster kube-1.');
  const expected = ['progressing', 'active', 'deleting', 'deleted'];
  const id = await create(context, clusterSpec('kube-1'), expected);
  await reaches(id, 'active', timeoutMs);
  await dcm.delete(id);
  print('A user of DCM deletes kube-1.');
};

const create = async (
  { dcm, onCreated }: Context,
  spec: DemoSpec & { readonly metadata: { readonly name: string } },
  statuses: readonly string[],
): Promise<string> => {
  const { name } = spec.metadata;
  const wanted = randomUUID();
  onCreated?.({ name, dcmId: wanted, statuses });
  const id = await dcm.create(spec, wanted);
  if (id !== wanted) onCreated?.({ name, dcmId: id, statuses });
  return id;
};
