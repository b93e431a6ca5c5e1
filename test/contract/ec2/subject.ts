import { randomUUID } from 'node:crypto';
import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  EC2Client,
  EC2ServiceException,
  type Instance,
  RunInstancesCommand,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';

export type Setup = () => Promise<AsyncDisposable & { readonly url: string }>;

type Wish = Partial<RunInstancesCommandInput> & {
  /** Value of the tag `contract`, by which the instances can be found. */
  readonly tag?: string;
  readonly count?: number;
};

export const unknownId = 'i-0123456789abcdef0';
export const tagged = (tag: string) => ({ Name: 'tag:contract', Values: [tag] });

export type Subject = ReturnType<typeof ec2Subject>;

/** An endpoint under test, started before the tests of this block and disposed of after them, and ways to use it. */
export const ec2Subject = (setup: Setup) => {
  let endpoint: Awaited<ReturnType<Setup>>;
  let client: EC2Client;
  let imageId = '';

  beforeAll(async () => {
    endpoint = await setup();
    client = new EC2Client(clientConfig(endpoint.url));
    const x86 = { Name: 'architecture', Values: ['x86_64'] };
    const { Images } = await client.send(new DescribeImagesCommand({ Filters: [x86] }));
    imageId = Images?.[0]?.ImageId ?? '';
  });
  afterAll(async () => {
    client.destroy();
    await endpoint[Symbol.asyncDispose]();
  });

  const launchInput = ({ tag = randomUUID(), count = 1, ...input }: Wish = {}) => ({
    ImageId: imageId,
    InstanceType: 't3.micro' as const,
    MinCount: count,
    MaxCount: count,
    TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'contract', Value: tag }] }],
    ...input,
  });
  const listed = async (input: DescribeInstancesCommandInput): Promise<Instance[]> => {
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand(input));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  };

  return {
    ec2: () => client,
    url: () => endpoint.url,
    imageId: () => imageId,
    launchInput,
    listed,
    /** The ids of the instances launched. */
    launch: async (wish?: Wish): Promise<string[]> => {
      const { Instances = [] } = await client.send(new RunInstancesCommand(launchInput(wish)));
      return Instances.map(({ InstanceId = '' }) => InstanceId);
    },
    /** The instances, once all of them are in that state. */
    reaches: (InstanceIds: string[], state: string): Promise<Instance[]> =>
      vi.waitFor(
        async () => {
          const instances = await listed({ InstanceIds });
          expect(instances.map(({ State }) => State?.Name)).toEqual(InstanceIds.map(() => state));
          return instances;
        },
        { timeout: 20_000, interval: 20 },
      ),
  };
};

/** The error that a call ends in. */
export const refusal = (call: Promise<unknown>): Promise<EC2ServiceException> =>
  call.then(
    () => expect.fail('the call succeeded'),
    (error) => (error instanceof EC2ServiceException ? error : expect.fail(String(error))),
  );
export const codes = async (...calls: Promise<unknown>[]): Promise<string[]> =>
  (await Promise.all(calls.map(refusal))).map(({ name }) => name);
