import { providerApiClient } from '../local/demo/provider-api-client.ts';
import { startMeasuredStack } from './emulators.ts';
import type { Figures } from './figures.ts';

const vms = 5;
const timeoutMs = 60_000;
const spec = { service_type: 'vm', guest_os: { type: 'amazon-linux-2023' } };

/** How long a VM's change stays unknown to DCM where EventBridge loses every event and no listing is due. */
export const healing = async (): Promise<Figures> => {
  const runningAt: number[] = [];
  await using stack = await startMeasuredStack({
    pollFloorSeconds: 300,
    ec2Faults: { loseEvents: 1 },
    onTransition: ({ state, atMs }) => void (state === 'running' && runningAt.push(atMs)),
  });
  const { controlPlane, endpoints } = stack;
  if (controlPlane === undefined) throw new Error('The stack has no control plane.');
  const api = providerApiClient(endpoints);
  const heal = async (id: string): Promise<number> => {
    await api.create(id, spec);
    await controlPlane.waitFor(id, 'running', timeoutMs);
    return Date.now();
  };
  const healedAt = await Promise.all(Array.from({ length: vms }, (_, n) => heal(`lost-${n}`)));
  return { heal_transition_s: (Math.max(...healedAt) - Math.min(...runningAt)) / 1000 };
};
