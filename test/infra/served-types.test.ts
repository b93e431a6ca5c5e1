import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Env as BridgeEnv } from '../../functions/nats-bridge/env.ts';
import { Env, registriesFile, settingsOf } from '../../functions/registration/env.ts';
import { providersOf } from '../../functions/registration/providers.ts';
import { natsPermissions } from '../../infra/settings/agent.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import {
  agentSettings,
  allTypes,
  containers,
  environmentOf,
  provisioningSettings,
  synthesized,
} from './synthesized.ts';

const three = synthesized(allTypes);
const vmsAlone = synthesized(provisioningSettings);

const folder = mkdtempSync(join(tmpdir(), 'dcm-served-types-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The providers that the deployed registration registers. */
const providersOfDeployed = ({ home, filesOf }: typeof three) => {
  const REGISTRIES_FILE = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(REGISTRIES_FILE, filesOf('registration')[registriesFile] ?? '');
  const variables = { ...environmentOf(home, 'ec2-sp-registration'), PUBLIC_URL: 'https://api.test' };
  const env = Env.parse({ ...variables, REGISTRIES_FILE });
  return providersOf(settingsOf(env));
};
const registered = (deployed: typeof three) =>
  providersOfDeployed(deployed).map(({ registration }) => registration.name);

const Rows = z.object({ Properties: z.object({ rowNames: z.array(z.string()) }) });
const rowNames = ({ home }: typeof three) =>
  Object.values(home.findResources('Custom::DcmProviderRows')).map(
    (found) => Rows.parse(found).Properties.rowNames,
  );

const Route = z.object({ Properties: z.object({ RouteKey: z.string() }) });
const publicRoutes = ({ home }: typeof three) =>
  Object.values(home.findResources('AWS::ApiGatewayV2::Route'))
    .map((found) => Route.parse(found).Properties.RouteKey)
    .filter((key) => /^GET \/api.*s\/health$/.test(key));

describe('a deployment of VMs, containers and clusters', () => {
  it('registers a provider for each, and has CloudFormation know their names', () => {
    expect(registered(three)).toEqual(['ec2-sp', 'ec2-sp-container', 'ec2-sp-cluster']);
    expect(rowNames(three)).toEqual([registered(three)]);
    expect(rowNames(vmsAlone)).toEqual([['ec2-sp']]);
  });

  it('answers the health of each without credentials', () => {
    expect(publicRoutes(three)).toEqual([
      'GET /api/v1alpha1/vms/health',
      'GET /api/v1alpha1/containers/health',
      'GET /api/v1alpha1/clusters/health',
    ]);
    expect(publicRoutes(vmsAlone)).toEqual(['GET /api/v1alpha1/vms/health']);
  });

  it('probes NATS for the subject of each, and tells which permissions its user needs', () => {
    const probed = ({ home }: typeof three) =>
      BridgeEnv.parse(environmentOf(home, 'ec2-sp-nats-bridge')).SERVICE_TYPES;

    expect(probed(three)).toEqual(['vm', 'container', 'cluster']);
    expect(environmentOf(vmsAlone.home, 'ec2-sp-nats-bridge')).not.toHaveProperty('SERVICE_TYPES');
    expect(natsPermissions(parseSettings(allTypes))).toContain(
      'publish: ["dcm.vm", "dcm.container", "dcm.cluster", ',
    );
  });
});

describe('a deployment with another account', () => {
  const agentOf = (region: string) => ({
    ...{ url: `https://agent-prod-${region}.test`, topic: `aws-prod-${region}` },
    caller: 'endpointCredentials',
  });
  const regions = ['eu-west-1', 'us-east-1'];
  const networkOf = (region: string) => ({
    subnets: [{ id: 'subnet-0123456789abcdef0', zone: `${region}a` }],
    securityGroupIds: ['sg-0123456789abcdef0'],
  });
  const withAccount = synthesized({
    ...{ ...agentSettings, externalId: 'an-external-id-of-the-tests' },
    accounts: {
      prod: {
        ...{ id: '222222222222', streamingRegions: regions, api: { tokenSecret: 'dcm/prod' } },
        provisioning: { regions: Object.fromEntries(regions.map((region) => [region, networkOf(region)])) },
        containers: { ...containers, executionRoleArn: 'arn:aws:iam::222222222222:role/pull-images' },
        agents: Object.fromEntries(regions.map((region) => [region, agentOf(region)])),
      },
    },
  });

  it('registers a provider for each service type and target, at the agent of the target', () => {
    const providers = providersOfDeployed(withAccount);

    expect(providers.map(({ registration: { name }, registry: { url } }) => [name, url])).toEqual([
      ['ec2-sp', 'https://agent.test'],
      ['ec2-sp-prod-eu-west-1', 'https://agent-prod-eu-west-1.test'],
      ['ec2-sp-container-prod-eu-west-1', 'https://agent-prod-eu-west-1.test'],
      ['ec2-sp-prod-us-east-1', 'https://agent-prod-us-east-1.test'],
    ]);
  });

  it('has CloudFormation know their names, so that they are withdrawn with the account', () => {
    expect(rowNames(withAccount)).toEqual([registered(withAccount)]);
  });
});
