import { Ec2Error } from '../ec2-error.ts';
import { because } from '../lifecycle.ts';
import { stateChangeAction } from './state-change.ts';

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html */
export const terminateInstances = stateChangeAction({
  effects: {
    pending: 'acts',
    running: 'acts',
    stopping: 'acts',
    stopped: 'acts',
    'shutting-down': 'ignored',
    terminated: 'ignored',
  },
  refusal: (id) => `The instance '${id}' may not be terminated.`,
  check: ({ id, disableApiTermination }) => {
    if (!disableApiTermination) return;
    throw new Ec2Error(
      'OperationNotPermitted',
      `The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    );
  },
  act: (region, { id }) => region.enter(id, 'shutting-down', because.userShutdown),
});
