import { Ec2Error } from '../ec2-error.ts';
import { because } from '../lifecycle.ts';
import { stateChangeAction } from './state-change.ts';

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html */
export const stopInstances = stateChangeAction({
  effects: {
    pending: 'refused',
    running: 'acts',
    stopping: 'ignored',
    stopped: 'ignored',
    'shutting-down': 'refused',
    terminated: 'refused',
  },
  refusal: (id) => `This instance '${id}' is not in a state from which it can be stopped.`,
  check: ({ id, launch }, { Hibernate }) => {
    if (launch.spot === 'one-time') {
      throw new Ec2Error(
        'UnsupportedOperation',
        `You can't stop the Spot Instance '${id}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests.`,
      );
    }
    if (Hibernate && !launch.hibernation) {
      throw new Ec2Error(
        'UnsupportedHibernationConfiguration',
        `Hibernation is not enabled for the instance: ${id}`,
      );
    }
  },
  act: (region, { id }, { Hibernate }) =>
    region.enter(id, 'stopping', Hibernate ? because.userHibernate : because.userShutdown),
});
