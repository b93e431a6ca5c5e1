import { setTimeout as sleep } from 'node:timers/promises';
import { UpstreamError } from '../../shared/core/errors.ts';
import type { DcmUser } from './dcm-user.ts';
import type { ProviderApiClient } from './provider-api-client.ts';

const timeoutMs = 60_000;

type Stage = {
  readonly dcm: DcmUser;
  readonly providerApi: ProviderApiClient;
  readonly say: (line: string) => void;
  /** Called once DCM has given the VM its id. */
  readonly named?: (dcmId: string) => void;
  /** Called once, when the provider has the VM. */
  readonly enter?: (vm: {
    readonly name: string;
    readonly dcmId: string;
    readonly instanceId: string;
  }) => void;
};

/**
 * One VM's life as DCM's user sees it, created and deleted through DCM, stopped and started through the provider; DCM's row is looked at
 * after each step. @throws UnavailableError where the row does not follow, UpstreamError where the VM is not listed, or not gone
 */
export const dcmStory = async (stage: Stage): Promise<void> => {
  const { dcm, providerApi, say } = stage;
  await dcm.isReady(timeoutMs);
  say('DCM finds the provider ready, and its user creates dcm-1');
  const id = await dcm.create('dcm-1');
  stage.named?.(id);
  await dcm.reaches(id, 'running', timeoutMs);
  const { instance_id: instanceId = '' } = await providerApi.get(id);
  stage.enter?.({ name: 'dcm-1', dcmId: id, instanceId });
  await mustBeListed(stage, id, true);

  for (const [action, status] of [
    ['stop', 'STOPPED'],
    ['start', 'RUNNING'],
  ] as const) {
    await sleep(1_020 - (Date.now() % 1_000)); // EC2 tells times by the second, and a timer can be early
    await providerApi.change(id, action);
    await dcm.reaches(id, status, timeoutMs);
    say(`dcm-1 is asked to ${action}, and its row is ${status}`);
  }

  await dcm.delete(id);
  await mustBeListed(stage, id, false);
  say('DCM has dcm-1 deleted, and its row is gone');
};

const mustBeListed = async ({ dcm }: Stage, dcmId: string, expected: boolean): Promise<void> => {
  const isListed = await dcm.lists(dcmId);
  if (isListed !== expected)
    throw new UpstreamError(`DCM lists ${dcmId}: ${isListed}, expected: ${expected}`);
};
