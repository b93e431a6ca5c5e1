import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { account, homeRegion, legacyRegion, provider, streamingRegion } from '../names.ts';
import { callAws, rootConfig, userWithPolicy } from '../root.ts';
import { apiIn, type Context, outputsOf, type SettingsInput, type Step } from './context.ts';

/** The whole app: every construct that the settings can ask for. */
const settingsOf = ({ surroundings }: Context, provisioned: readonly string[]): SettingsInput => ({
  provider: { name: provider },
  homeRegion,
  streamingRegions: [streamingRegion],
  legacyRegions: [legacyRegion],
  nats: {
    urls: [surroundings.natsUrl],
    credentialsSecret: surroundings.secrets.nats.name,
    vpc: {
      vpcId: 'vpc-0123456789abcdef0',
      subnetIds: ['subnet-0123456789abcdef0'],
      availabilityZones: [`${homeRegion}a`],
      secretsManagerEndpoint: 'create',
    },
  },
  provisioning: { regions: Object.fromEntries(provisioned.map((region) => [region, {}])), spot: true },
  api: { tokenSecret: surroundings.secrets.token.name },
  controlPlane: { url: surroundings.controlPlane.url, publicUrl: surroundings.publicUrl, vpc: true },
  alarms: { emailOrTopicArn: 'operators@example.com' },
});

const first = (context: Context) => deploymentOf(context, [homeRegion, legacyRegion], context.ministack.url);
/** The legacy region creates no VMs any more, moto's EC2 takes the place of ministack's, and the stacks can be deleted. */
const second = (context: Context) => {
  const { settings, environment } = deploymentOf(context, [homeRegion], context.moto.url);
  return { settings: { ...settings, deletionProtection: false }, environment };
};

const deploymentOf = (context: Context, provisioned: readonly string[], ec2Url: string) => ({
  settings: settingsOf(context, provisioned),
  environment: {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: context.ministack.url,
    AWS_ENDPOINT_URL_EC2: ec2Url,
    AWS_ENDPOINT_URL_SSM: ec2Url,
  },
});

const deploy = async (context: Context): Promise<void> => {
  const outputs = await context.cdk.deploy();
  context.outputs = outputs;
  const [apiId] = new URL(outputs.ProviderApiUrl).hostname.split('.');
  context.surroundings.leadTo(`${context.ministack.url}/_aws/execute-api/${apiId}/$default`);
};

export const deployment: readonly Step[] = [
  {
    title: 'cdk bootstrap and cdk deploy create every resource of both stacks, under enforced IAM policies',
    async run(context) {
      await createSecrets(context);
      await context.cdk.synth(first(context));
      await context.cdk.bootstrap([homeRegion, streamingRegion]);
      for (const region of [homeRegion, streamingRegion]) await allowHttpToAssets(context, region);
      await deploy(context);
    },
  },
  {
    title: 'the deployment registers a provider for each region, and the control plane finds them healthy',
    async run(context) {
      const names = [provider, `${provider}-${legacyRegion}`];
      assert.equal(
        outputsOf(context).RegistrationOutcome,
        names.map((name) => `${name}: registered`).join('; '),
      );
      await areReady(context, names);
    },
  },
  {
    title: 'a user without policies is refused: IAM policies are enforced',
    async run(context) {
      const credentials = await userWithPolicy(context.ministack);
      const client = new DynamoDBClient({ ...rootConfig(context.ministack), credentials });
      const Key = { pk: { S: 'polling' } };
      const asked = client.send(new GetItemCommand({ TableName: outputsOf(context).FleetTableName, Key }));
      await assert.rejects(asked, { name: 'AccessDeniedException' });
    },
  },
];

export const update: readonly Step[] = [
  {
    title: 'an update of the stacks withdraws the provider of a region that is taken away',
    async run(context) {
      await context.cdk.synth(second(context));
      await deploy(context);
      await areReady(context, [provider]);
      const created = apiIn(context, legacyRegion).create('refused-1', vmSpec('refused-1'));
      await assert.rejects(created, { name: 'HTTPError' });
    },
  },
];

export const destruction: readonly Step[] = [
  {
    title: 'cdk destroy withdraws the provider and deletes everything but the fleet table',
    async run(context) {
      await context.cdk.destroy();
      await areReady(context, []);
      const lambda = new LambdaClient(rootConfig(context.ministack));
      const FunctionName = `${provider}-normaliser`;
      await assert.rejects(lambda.send(new GetFunctionCommand({ FunctionName })), {
        name: 'ResourceNotFoundException',
      });
      const dynamoDb = new DynamoDBClient(rootConfig(context.ministack));
      const Key = { pk: { S: 'polling' } };
      const { Item } = await dynamoDb.send(
        new GetItemCommand({ TableName: outputsOf(context).FleetTableName, Key }),
      );
      assert.ok(Item, 'the fleet table lost its items');
    },
  },
];

/** Waits until DCM's registry has exactly these providers and finds them healthy, and the deployed functions say that they are now. */
const areReady = async ({ surroundings }: Context, names: readonly string[]): Promise<void> => {
  const expected = names.map((name) => `${name} ready`).join(', ');
  const deadline = Date.now() + 60_000;
  for (;;) {
    const health = names.length > 0 ? await healthAt(surroundings.publicUrl) : healthy;
    const providers = await surroundings.controlPlane.providers();
    const found = providers
      .map(({ name, status }) => `${name} ${status}`)
      .toSorted()
      .join(', ');
    if (found === expected && health.status === healthy.status) return;
    const differs = `DCM has the providers: ${found || 'none'}; expected: ${expected || 'none'}`;
    assert.ok(Date.now() < deadline, `${differs}; health: ${JSON.stringify(health)}`);
    await sleep(200);
  }
};

const healthy = { status: 'healthy' };
const Health = z.object({ status: z.string(), detail: z.string().optional() });

const healthAt = async (url: string) =>
  Health.parse(await (await fetch(`${url}/api/v1alpha1/vms/health`)).json());

const createSecrets = async ({ ministack, surroundings }: Context): Promise<void> => {
  for (const { name, text } of Object.values(surroundings.secrets))
    await callAws(ministack, 'secretsmanager', {
      headers: {
        'x-amz-target': 'secretsmanager.CreateSecret',
        'content-type': 'application/x-amz-json-1.1',
      },
      body: JSON.stringify({ Name: name, SecretString: text, ClientRequestToken: randomUUID() }),
    });
};

/** CDK's staging buckets refuse what does not come over TLS, as our requests to the emulator do not. */
const allowHttpToAssets = ({ ministack }: Context, region: string): Promise<string> => {
  const url = `${ministack.url}/cdk-hnb659fds-assets-${account}-${region}?policy`;
  return callAws({ url }, 's3', { method: 'DELETE', region });
};
