import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { UpstreamError } from '../../shared/core/errors.ts';
import { vmSpec } from './catalog-item.ts';
import type { DcmUser } from './dcm-user.ts';
import type { ProviderApiClient } from './provider-api-client.ts';

const timeoutMs = 60_000;

type Context = {
  readonly dcm: DcmUser;
  readonly providerApi: ProviderApiClient;
  readonly print: (line: string) => void;
  /** Called with the VM's id in DCM: the one that is asked for, and then DCM's answer. */
  readonly onCreated?: (dcmId: string) => void;
  /** Called once the VM runs. */
  readonly onLaunched?: (vm: {
    readonly name: string;
    readonly dcmId: string;
    readonly instanceId: string;
  }) => void;
};

/**
 * Creates and deletes one VM through DCM, and stops and starts it through the provider's API. Checks DCM's row after each step.
 * @throws UnavailableError where the row does not get the status in time, UpstreamError where DCM's list is wrong
 */
export const runDcmVmScenario = async (context: Context): Promise<void> => {
  const { dcm, providerApi, print } = context;
  await dcm.isReady('vm', timeoutMs);
  print('DCM reports the provider as ready. A user of DCM creates dcm-1.');
  const wanted = randomUUID();
  context.onCreated?.(wanted);
  const id = await dcm.create(vmSpec('dcm-1'), wanted);
  context.onCreated?.(id);
  await dcm.reaches(id, 'running', timeoutMs);
  const { instance_id: instanceId = '' } = await providerApi.get(id);
  context.onLaunched?.({ name: 'dcm-1', dcmId: id, instanceId });
  await checkListed(context, id, true);

  for (const [action, status] of [
    ['stop', 'STOPPED'],
    ['start', 'RUNNING'],
  ] as const) {
    await sleep(1_020 - (Date.now() % 1_000)); // EC2's times are to the second; 20 ms more because a timer can be early
    await providerApi.change(id, action);
    await dcm.reaches(id, status, timeoutMs);
    print(`After ${action} of dcm-1 at the provider, its row in DCM is ${status}.`);
  }

  await dcm.delete(id);
  await checkListed(context, id, false);
  print('A user of DCM deletes dcm-1, and its row is removed.');
};

/**
 * Creates a VM in another account through DCM, and deletes it once it runs. `dcm` and `providerApi` are those of that account.
 * @throws UnavailableError where DCM does not get a status in time
 */
export const runOtherAccountScenario = async (context: Context): Promise<void> => {
  const { dcm, providerApi, print } = context;
  await dcm.isReady('vm', timeoutMs);
  print('A user of DCM creates prod-1 in the account prod.');
  const wanted = randomUUID();
  context.onCreated?.(wanted);
  const id = await dcm.create(vmSpec('prod-1'), wanted);
  context.onCreated?.(id);
  await dcm.reaches(id, 'running', timeoutMs);
  const { instance_id: instanceId = '' } = await providerApi.get(id);
  context.onLaunched?.({ name: 'prod-1', dcmId: id, instanceId });
  await dcm.delete(id);
  print('A user of DCM deletes prod-1.');
};

const checkListed = async ({ dcm }: Context, dcmId: string, expected: boolean): Promise<void> => {
  const isListed = await dcm.lists(dcmId);
  if (isListed !== expected)
    throw new UpstreamError(
      `DCM ${isListed ? 'lists' : 'does not list'} ${dcmId}, but it should${expected ? '' : ' not'}`,
    );
};
