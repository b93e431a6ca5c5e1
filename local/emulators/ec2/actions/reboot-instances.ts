import { action, done } from '../action.ts';
import { acceptable, StateChangeRequest } from './state-change.ts';

/**
 * Changes no state, and EC2 sends no event.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RebootInstances.html
 */
export const rebootInstances = action(StateChangeRequest, ({ InstanceId }, region) => {
  acceptable(
    region.find(InstanceId),
    {
      pending: 'ignored',
      running: 'acts',
      stopping: 'refused',
      stopped: 'refused',
      'shutting-down': 'ignored',
      terminated: 'ignored',
    },
    (id) => `The instance '${id}' is not in a state from which it can be rebooted.`,
  );
  return () => done;
});
