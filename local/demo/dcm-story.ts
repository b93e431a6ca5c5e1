import { setTimeout as sleep } from 'node:timers/promises';
import { UpstreamError } from '../../shared/domain/errors.ts';
import type { ControlPlaneClient } from '../control-plane-client.ts';
import type { ProviderApiClient } from '../provider-api-client.ts';
import { vmSpec } from './dcm-vm.ts';

const patienceMs = 60_000;

type Stage = {
  readonly controlPlane: ControlPlaneClient;
  readonly providerApi: ProviderApiClient;
  /** Our name at DCM. */
  readonly provider: string;
  /** The id that DCM is to give the VM; left out, it makes one up. */
  readonly vmId?: string;
  readonly say: (line: string) => void;
  /** Told once, when DCM has the VM. */
  readonly enter?: (vm: {
    readonly name: string;
    readonly vmId: string;
    readonly instanceId: string;
  }) => void;
};

/**
 * One VM's life as DCM's user sees it, created and deleted through DCM, stopped and started through the provider; DCM's row is looked at
 * after each step. @throws UnavailableError where the row does not follow, UpstreamError where the VM is not listed, or not gone
 */
export const dcmStory = async (stage: Stage): Promise<void> => {
  const { controlPlane, providerApi, provider, say } = stage;
  await controlPlane.isReady(provider, patienceMs);
  say(`DCM finds the provider ${provider} ready, and has it create dcm-1`);
  const { id } = await controlPlane.create({
    provider,
    spec: vmSpec('dcm-1'),
    ...(stage.vmId !== undefined && { id: stage.vmId }),
  });
  const { instance_id: instanceId = '' } = await providerApi.get(id);
  stage.enter?.({ name: 'dcm-1', vmId: id, instanceId });
  await controlPlane.reaches(id, 'running', patienceMs);
  await mustBeListed(stage, id, true);

  for (const [action, status] of [
    ['stop', 'stopped'],
    ['start', 'running'],
  ] as const) {
    await sleep(1_020 - (Date.now() % 1_000)); // EC2 tells times by the second, and a timer can be early
    await providerApi.change(id, action);
    await controlPlane.reaches(id, status, patienceMs);
    say(`dcm-1 is asked to ${action}, and its row is ${status}`);
  }

  await controlPlane.delete(id);
  await mustBeListed(stage, id, false);
  say('DCM has dcm-1 deleted, and its row is gone');
};

const mustBeListed = async ({ controlPlane }: Stage, vmId: string, expected: boolean): Promise<void> => {
  const isListed = (await controlPlane.instances()).some(({ id }) => id === vmId);
  if (isListed !== expected) throw new UpstreamError(`DCM lists ${vmId}: ${isListed}, expected: ${expected}`);
};
