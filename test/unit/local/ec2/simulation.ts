import {
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  EC2Client,
  type Instance,
  paginateDescribeInstanceStatus,
  paginateDescribeInstances,
  RunInstancesCommand,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { vi } from 'vitest';
import { clientConfig } from '../../../../local/emulators/client-config.ts';
import type { Transition } from '../../../../local/emulators/ec2/account.ts';
import {
  type Ec2SimulatorOptions,
  startEc2Simulator,
} from '../../../../local/emulators/ec2/start-ec2-simulator.ts';
import type { EventBridgeEvent } from '../../../../shared/wire/eventbridge.ts';

export const ours = { 'managed-by': 'dcm' };

type Options = Partial<Ec2SimulatorOptions> & { readonly maxAttempts?: number };

/** A simulator that is quick, a client that tries once where no more is asked, and everything the simulator told. */
export const startSimulation = async ({ maxAttempts = 1, ...options }: Options = {}) => {
  const events: EventBridgeEvent[] = [];
  const transitions: Transition[] = [];
  const simulator = await startEc2Simulator({
    emit: (event) => void events.push(event),
    onTransition: (transition) => transitions.push(transition),
    dwellMs: { pending: 5, stopping: 5, 'shutting-down': 5 },
    ...options,
  });
  const client = new EC2Client({ ...clientConfig(simulator.url), maxAttempts });
  const stateOf = (id: string) => simulator.instances().find(({ instanceId }) => instanceId === id)?.state;

  return {
    simulator,
    client,
    events,
    transitions,
    /** The states that the events tell of, in their order. */
    publishedStates: () => events.flatMap(({ detail }) => detail.state ?? []),
    /** The id of the one instance. */
    launch: async (input: Partial<RunInstancesCommandInput> = {}): Promise<string> => {
      const one = { ImageId: 'ami-0123456789abcdef0', MinCount: 1, MaxCount: 1 };
      const { Instances } = await client.send(new RunInstancesCommand({ ...one, ...input }));
      return Instances?.[0]?.InstanceId ?? '';
    },
    shown: async (input: DescribeInstancesCommandInput = {}): Promise<Instance[]> => {
      const { Reservations = [] } = await client.send(new DescribeInstancesCommand(input));
      return Reservations.flatMap(({ Instances = [] }) => Instances);
    },
    /** Every page of the instances that have the tags `ours`. */
    pages: async (MaxResults: number): Promise<Instance[][]> => {
      const Filters = [{ Name: 'tag:managed-by', Values: ['dcm'] }];
      const pages: Instance[][] = [];
      for await (const { Reservations = [] } of paginateDescribeInstances(
        { client, pageSize: MaxResults },
        { Filters },
      )) {
        pages.push(Reservations.flatMap(({ Instances = [] }) => Instances));
      }
      return pages;
    },
    /** The ids of what fails its instance status check, page by page. */
    impaired: async (pageSize: number): Promise<string[][]> => {
      const Filters = [{ Name: 'instance-status.status', Values: ['impaired'] }];
      const pages: string[][] = [];
      for await (const { InstanceStatuses = [] } of paginateDescribeInstanceStatus(
        { client, pageSize },
        { Filters },
      )) {
        pages.push(InstanceStatuses.map(({ InstanceId = '' }) => InstanceId));
      }
      return pages;
    },
    reaches: (id: string, state: string) =>
      vi.waitUntil(() => stateOf(id) === state, { timeout: 20_000, interval: 2 }),
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await simulator[Symbol.asyncDispose]();
    },
  };
};
