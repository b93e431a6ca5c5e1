import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Registries } from '../../functions/registration/env.ts';
import { handleRequest } from '../../functions/registration/handle-request.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { disposables } from '../../local/processes/disposables.ts';
import { httpProviderRegistries } from '../../shared/adapters/dcm/provider-registry.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import { UnavailableError } from '../../shared/core/errors.ts';
import { countingMeter, memoryLog } from '../fakes/silent.ts';
import { controlPlane, environmentAgent, startRegistry } from './dcm-registries.ts';

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const table = 'registrations';
await createTable(dynamoDb.url, { name: table, partitionKey: { name: 'pk', type: 'S' } });
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
const registrations = dynamoDbRegistrations(client, table);

const secrets: Readonly<Record<string, string>> = {
  'dcm/api': 'of-home',
  'dcm/prod': 'of-prod',
  'dcm/lab': 'of-lab',
};
const unreadable = new Set<string>();
const readSecret = async (id: string) => {
  if (unreadable.has(id)) throw new UnavailableError(`the secret ${id} cannot be read`);
  return secrets[id] ?? '';
};

const names = ['ec2-sp', 'ec2-sp-prod-eu-west-1', 'ec2-sp-prod-us-east-1', 'ec2-sp-lab-eu-west-1'];
const prod = { alias: 'prod', endpointTokenSecret: 'dcm/prod' };
const lab = { alias: 'lab', endpointTokenSecret: 'dcm/lab' };

const { use, stop } = disposables();
const start = async () => {
  const [dcm, home, west, east] = await Promise.all([
    use(startRegistry(controlPlane, Date.now)),
    use(startRegistry(environmentAgent, Date.now)),
    use(startRegistry(environmentAgent, Date.now)),
    use(startRegistry(environmentAgent, Date.now)),
  ]);
  return { dcm, home, west, east };
};
let dcms: Awaited<ReturnType<typeof start>>;
beforeEach(async () => {
  dcms = await start();
});
afterEach(async () => {
  unreadable.clear();
  await Promise.all(names.map((name) => registrations.forget(name)));
  await stop();
});

/** The registration with these settings, as a deployment of them has it. */
const deployed = (registries: Registries, publicUrl = 'https://api.test') => {
  const log = memoryLog();
  const handle = handleRequest({
    settings: { ...{ name: 'ec2-sp', homeRegion: 'eu-west-1', publicUrl }, registries },
    secret: (id = 'dcm/api') => readSecret(id),
    registryOf: httpProviderRegistries(readSecret),
    ...{ registrations, listings: dynamoDbListings(client, table) },
    ...{ now: Date.now, log, meter: countingMeter() },
  });
  return { handle, log };
};
const register = { do: 'register' };
const listedAt = async ({ url }: { readonly url: string }) =>
  (await httpProviderRegistries(readSecret)({ url }).list()).providers?.map(({ name, endpoint }) => [
    name,
    endpoint,
  ]);
const outcomes = async () =>
  Object.fromEntries([...(await registrations.read(names))].map(([name, { outcome }]) => [name, outcome]));

const agent = ({ url }: { readonly url: string }) => ({
  kind: 'agent' as const,
  url,
  endpointCredentials: true,
});
/** One agent for each region of each account. */
const byAgents = (): Registries => ({
  'eu-west-1': agent(dcms.home),
  '222222222222/eu-west-1': { ...prod, ...agent(dcms.west) },
  '222222222222/us-east-1': { ...prod, ...agent(dcms.east) },
});
const older = () => ({ kind: 'control-plane' as const, url: dcms.dcm.url, endpointCredentials: true });
const byControlPlane = (): Registries => ({
  'eu-west-1': older(),
  '222222222222/eu-west-1': { ...prod, ...older() },
  '222222222222/us-east-1': { ...prod, ...older() },
});

describe('the providers of several accounts', () => {
  it('are registered at the agents of their regions, by the alias and with the token of the account', async () => {
    await deployed(byAgents()).handle(register);

    expect(await listedAt(dcms.home)).toEqual([['ec2-sp', 'https://dcm:of-home@api.test/api/v1alpha1/vms']]);
    expect(await listedAt(dcms.west)).toEqual([
      ['ec2-sp-prod-eu-west-1', 'https://dcm:of-prod@api.test/prod/eu-west-1/api/v1alpha1/vms'],
    ]);
    expect(await listedAt(dcms.east)).toEqual([
      ['ec2-sp-prod-us-east-1', 'https://dcm:of-prod@api.test/prod/us-east-1/api/v1alpha1/vms'],
    ]);
  });

  it('are each the same provider again when their endpoint changes', async () => {
    await deployed(byControlPlane()).handle(register);
    await deployed(byControlPlane(), 'https://other.test').handle({ do: 'keep-registered' });

    expect(await listedAt(dcms.dcm)).toEqual([
      ['ec2-sp', 'https://dcm:of-home@other.test/api/v1alpha1/vms'],
      ['ec2-sp-prod-eu-west-1', 'https://dcm:of-prod@other.test/prod/eu-west-1/api/v1alpha1/vms'],
      ['ec2-sp-prod-us-east-1', 'https://dcm:of-prod@other.test/prod/us-east-1/api/v1alpha1/vms'],
    ]);
  });
});

/** The update of the stack's custom resource from these providers to those. */
const update = (before: readonly string[], after: readonly string[]) => ({
  RequestType: 'Update',
  ResourceProperties: { controlPlaneUrl: '', rowNames: after },
  OldResourceProperties: { controlPlaneUrl: '', rowNames: before },
});
const [home, west, east] = ['ec2-sp', 'ec2-sp-prod-eu-west-1', 'ec2-sp-prod-us-east-1'];

describe('a provider is withdrawn', () => {
  it.each([
    ['a region of an account', ['222222222222/us-east-1'], [home, west]],
    ['an account', ['222222222222/eu-west-1', '222222222222/us-east-1'], [home]],
  ])('when %s leaves the settings, and no other one is', async (_, left, stay) => {
    await deployed(byControlPlane()).handle(register);
    const after = Object.entries(byControlPlane()).filter(([key]) => !left.includes(key));

    await deployed(Object.fromEntries(after)).handle(update([home, west, east], stay));

    expect((await listedAt(dcms.dcm))?.map(([name]) => name)).toEqual(stay);
    expect(await outcomes()).toEqual(Object.fromEntries(stay.map((name) => [name, 'registered'])));
  });

  it('also while the secret of another account cannot be read', async () => {
    await deployed(byControlPlane()).handle(register);
    unreadable.add('dcm/prod');

    await deployed(byControlPlane()).handle({ do: 'withdraw' });

    expect([await listedAt(dcms.dcm), await outcomes()]).toEqual([[], {}]);
  });

  it('from our own table alone where an environment agent has it, which is said', async () => {
    await deployed(byAgents()).handle(register);
    const { handle, log } = deployed({ 'eu-west-1': agent(dcms.home) });

    await handle(update([home, west, east], [home]));

    expect(await outcomes()).toEqual({ [home]: 'registered' });
    expect(log.lines.filter((line) => line === 'warn: could not withdraw a provider from DCM')).toHaveLength(
      2,
    );
  });
});

describe('the registration of the other accounts goes on', () => {
  const nobody = { url: 'http://127.0.0.1:9' };

  it('where the agent of one does not answer', async () => {
    const registries = { ...byAgents(), '222222222222/eu-west-1': { ...prod, ...agent(nobody) } };

    await deployed(registries).handle(register);

    expect(await outcomes()).toEqual({ [home]: 'registered', [west]: 'unreachable', [east]: 'registered' });
  });

  it('where the agent of one serves VMs by another provider of the same name', async () => {
    const registry = httpProviderRegistries(readSecret)({ url: dcms.west.url });
    await registry.register('an-id-of-somebody-else', {
      ...{ name: west, endpoint: 'https://other.test', service_type: 'vm', schema_version: 'v1alpha1' },
      ...{ display_name: 'another', operations: [] },
      metadata: { region_code: 'eu-west-1', registered_at: new Date().toISOString() },
    });

    await deployed(byAgents()).handle(register);

    expect(await outcomes()).toEqual({ [home]: 'registered', [west]: 'refused', [east]: 'registered' });
  });

  it('where the secret for the agent of one cannot be read', async () => {
    unreadable.add('dcm/agent-of-prod');
    const auth = { tokenSecret: 'dcm/agent-of-prod' };
    const registries = { ...byAgents(), '222222222222/eu-west-1': { ...prod, ...agent(dcms.west), auth } };

    await deployed(registries).handle(register);

    expect(await outcomes()).toEqual({ [home]: 'registered', [west]: 'unreachable', [east]: 'registered' });
  });

  it.each([
    ['an account', 'dcm/lab', [home, west, east]],
    ['the home account', 'dcm/api', [west, east, 'ec2-sp-lab-eu-west-1']],
  ])('where the token of %s cannot be read', async (_, secret, registered) => {
    unreadable.add(secret);
    const registries = { ...byControlPlane(), '333333333333/eu-west-1': { ...lab, ...older() } };

    await deployed(registries).handle(register);

    expect((await listedAt(dcms.dcm))?.map(([name]) => name)).toEqual(registered);
  });

  it('where the table does not take the result of one, and the invocation fails afterwards', async () => {
    const failing = handleRequest({
      settings: {
        ...{ name: 'ec2-sp', homeRegion: 'eu-west-1', publicUrl: 'https://api.test' },
        registries: byAgents(),
      },
      secret: (id = 'dcm/api') => readSecret(id),
      registryOf: httpProviderRegistries(readSecret),
      registrations,
      listings: {
        requestRepublication: async (target) => {
          if (target.account !== undefined && target.region === 'eu-west-1')
            throw new UnavailableError('the table did not answer');
        },
      },
      ...{ now: Date.now, log: memoryLog(), meter: countingMeter() },
    });

    await expect(failing(register)).rejects.toThrow('the table did not answer');

    expect(await outcomes()).toEqual({ [home]: 'registered', [east]: 'registered' });
  });
});
