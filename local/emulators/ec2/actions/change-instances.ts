import * as z from 'zod';
import type { InstanceState } from '../../../../shared/service-types/vm/kind.ts';
import { type Action, action, InstanceIds, success } from '../action.ts';
import type { SimulatedInstance } from '../instance.ts';
import { stateXml } from '../instance-xml.ts';
import { stateReasons } from '../lifecycle.ts';
import { Ec2Error, Flag, invalidCombination, items, type XmlElements } from '../query-protocol.ts';
import type { Region } from '../region.ts';

/** The effect of a call on an instance in each state. `ignored`: the call succeeds without effect. */
export type Effects = Readonly<Record<InstanceState, 'acts' | 'ignored' | 'refused'>>;

const StateChangeRequest = z.object({ InstanceId: InstanceIds, Hibernate: Flag.optional() });
export type StateChangeRequest = z.infer<typeof StateChangeRequest>;

type Change = {
  readonly effects: Effects;
  readonly refusal: (id: string) => string;
  /** @throws Ec2Error where something other than the state forbids the call. */
  readonly check?: (instance: SimulatedInstance, request: StateChangeRequest) => void;
  /** @returns the changed instance */
  readonly act: (
    region: Region,
    instance: SimulatedInstance,
    request: StateChangeRequest,
  ) => SimulatedInstance;
};

/** An action that changes the state of all instances or of none, and answers the states before and after. */
const stateChangeAction = ({ effects, refusal, check, act }: Change): Action =>
  action(StateChangeRequest, (request, region) => {
    const instances = checkStates(region.find(request.InstanceId), effects, refusal);
    for (const instance of instances) check?.(instance, request);
    return () => ({
      instancesSet: items(
        instances.map((before) => {
          const isChanged = effects[before.status.value.state] === 'acts';
          return changeXml(before, isChanged ? act(region, before, request) : before);
        }),
      ),
    });
  });

/** Returns the same instances. @throws Ec2Error where the state of one of them forbids the call. */
const checkStates = (
  instances: readonly SimulatedInstance[],
  effects: Effects,
  refusal: (id: string) => string,
): readonly SimulatedInstance[] => {
  const refused = instances.find(({ status }) => effects[status.value.state] === 'refused');
  if (refused) throw new Ec2Error('IncorrectInstanceState', refusal(refused.id));
  return instances;
};

const changeXml = (before: SimulatedInstance, after: SimulatedInstance): XmlElements => ({
  instanceId: before.id,
  currentState: stateXml(after.status.value.state),
  previousState: stateXml(before.status.value.state),
});

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
    region.update(id, {
      publicIp: launch.publicAddress ? region.newPublicIp() : undefined,
      impaired: undefined, // the instance starts on another host
      retiresAtMs: undefined,
    });
    return region.enter(id, 'pending', stateReasons.launched);
  },
});

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
    region.enter(id, 'stopping', Hibernate ? stateReasons.userHibernate : stateReasons.userShutdown),
});

/**
 * Changes no state, and emits no event, as in EC2.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RebootInstances.html
 */
export const rebootInstances = action(StateChangeRequest, ({ InstanceId }, region) => {
  checkStates(
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
  return () => success;
});

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
  act: (region, { id }) => region.enter(id, 'shutting-down', stateReasons.userShutdown),
});

const Request = z.object({
  InstanceId: z.string(),
  DisableApiTermination: z.object({ Value: Flag }).optional(),
  Attribute: z.string().optional(),
  Value: z.string().optional(),
});

/**
 * Supports one attribute: disableApiTermination, in both forms of the request.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
 */
export const modifyInstanceAttribute = action(
  Request,
  ({ InstanceId, DisableApiTermination, Attribute, Value }, region) => {
    region.find([InstanceId]);
    const named = Attribute === 'disableApiTermination' ? Flag.safeParse(Value).data : undefined;
    const disableApiTermination = DisableApiTermination?.Value ?? named;
    if (disableApiTermination === undefined) {
      throw invalidCombination('Only the attribute disableApiTermination is supported here.');
    }
    return () => {
      region.update(InstanceId, { disableApiTermination });
      return success;
    };
  },
);
