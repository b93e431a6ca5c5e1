import * as z from 'zod';
import type { InstanceState } from '../../../../shared/service-types/vm/kind.ts';
import { type Action, action, InstanceIds } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import type { SimulatedInstance } from '../instance.ts';
import { stateXml } from '../instance-xml.ts';
import { Flag } from '../query.ts';
import type { Region } from '../region.ts';
import { items, type XmlElements } from '../xml.ts';

/** What a call does to an instance in each state: it acts, it succeeds without effect, or it is refused. */
export type Effects = Readonly<Record<InstanceState, 'acts' | 'ignored' | 'refused'>>;

export const StateChangeRequest = z.object({ InstanceId: InstanceIds, Hibernate: Flag.optional() });
export type StateChangeRequest = z.infer<typeof StateChangeRequest>;

type Change = {
  readonly effects: Effects;
  readonly refusal: (id: string) => string;
  /** @throws Ec2Error where something else than the state forbids it. */
  readonly check?: (instance: SimulatedInstance, request: StateChangeRequest) => void;
  /** Gives the instance after it. */
  readonly act: (
    region: Region,
    instance: SimulatedInstance,
    request: StateChangeRequest,
  ) => SimulatedInstance;
};

/** An action that brings instances into another state, all of them or none, and tells the state before and after. */
export const stateChangeAction = ({ effects, refusal, check, act }: Change): Action =>
  action(StateChangeRequest, (request, region) => {
    const instances = acceptable(region.find(request.InstanceId), effects, refusal);
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

/** The same instances. @throws Ec2Error where the state of one of them forbids the call. */
export const acceptable = (
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
