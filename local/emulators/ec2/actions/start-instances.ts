import { because } from '../lifecycle.ts';
import { stateChangeAction } from './state-change.ts';

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StartInstances.html */
export const startInstances = stateChangeAction({
  effects: {
    pending: 'ignored',
    running: 'ignored',
    stopping: 'refused',
    stopped: 'acts',
    'shutting-down': 'refused',
    terminated: 'refused',
  },
  refusal: (id) => `The instance '${id}' is not in a state from which it can be started.`,
  act: (region, { id, launch }) => {
    region.amend(id, {
      publicIp: launch.publicAddress ? region.newPublicIp() : undefined,
      impaired: undefined, // it starts on another host
      retiresAtMs: undefined,
    });
    return region.enter(id, 'pending', because.launched);
  },
});
