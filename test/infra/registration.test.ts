import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Env, registriesFile } from '../../functions/registration/env.ts';
import { ResourceProperties } from '../../functions/registration/handle-request.ts';
import {
  agentSettings,
  allowedBy,
  environmentOf,
  leastSettings,
  provisioningSettings,
  synthesized,
  vpc,
} from './synthesized.ts';

const { controlPlane } = provisioningSettings;
const folder = mkdtempSync(join(tmpdir(), 'dcm-registration-'));
afterAll(() => rmSync(folder, { recursive: true }));

const twoRegions = {
  streamingRegions: ['us-east-1'],
  provisioning: { regions: { 'eu-west-1': {}, 'us-east-1': {} } },
};
const older = synthesized({ ...provisioningSettings, ...twoRegions });
const { home } = older;

/** The function's environment, and the file beside its code. */
const toldTo = ({ home: template, filesOf }: Pick<typeof older, 'home' | 'filesOf'>) => {
  const variables = environmentOf(template, 'ec2-sp-registration');
  const path = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(path, filesOf('registration')[registriesFile] ?? '');
  return Env.parse({ ...variables, REGISTRIES_FILE: path });
};
const Resource = z.object({
  Properties: z.record(z.string(), z.unknown()),
  DependsOn: z.array(z.string()).default([]),
});
const resource = (template: typeof home, type: string) => {
  const [id = '', found] = Object.entries(template.findResources(type))[0] ?? [];
  return { id, ...Resource.parse(found) };
};

describe('registration', () => {
  it('has the environment that it requires, and every region at the one control plane', () => {
    const registry = { kind: 'control-plane', url: 'http://dcm.test:8080', endpointCredentials: false };

    expect(toldTo(older)).toMatchObject({
      PROVIDER_NAME: 'ec2-sp',
      HOME_REGION: 'eu-west-1',
      REGISTRIES_FILE: { 'eu-west-1': registry, 'us-east-1': registry },
    });
  });

  it("registers API Gateway's address, or the configured domain", () => {
    const publicUrl = 'https://vms.example.com';
    const withDomain = synthesized({ ...provisioningSettings, controlPlane: { ...controlPlane, publicUrl } });

    home.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ec2-sp-registration',
      Environment: {
        Variables: Match.objectLike({
          PUBLIC_URL: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ProviderApi'), 'ApiEndpoint'] },
        }),
      },
    });
    expect(toldTo(withDomain).REGISTRIES_FILE['eu-west-1']).toMatchObject({ publicUrl });
  });

  it('runs every minute, without retries', () => {
    home.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^RegistrationFunction'), 'Arn'] },
          Input: '{"do":"keep-registered"}',
          RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
        }),
      ],
    });
  });

  it('may store results and republication requests in the table, and no more', () => {
    const beyondLogs = allowedBy(home, 'RegistrationRole').filter(
      ({ Action }) => !Action.some((action) => action.startsWith('logs:')),
    );

    expect(beyondLogs).toEqual([
      {
        Effect: 'Allow',
        Action: ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:UpdateItem'],
        Resource: [{ 'Fn::GetAtt': [expect.stringMatching('^FleetTable'), 'Arn'] }],
      },
    ]);
  });

  it('runs outside any VPC, and reads no secret', () => {
    home.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ec2-sp-registration',
      VpcConfig: Match.absent(),
    });
  });

  it('does not exist without an agent and a control plane in the settings', () => {
    const { controlPlane: _, ...withoutDcm } = provisioningSettings;
    const { home: unregistered } = synthesized(withoutDcm);

    unregistered.resourceCountIs('Custom::DcmProviderRows', 0);
    unregistered.resourceCountIs('AWS::ApiGatewayV2::Api', 1);
    expect(() => environmentOf(unregistered, 'ec2-sp-registration')).toThrow();
  });
});

describe('the providers of a stack', () => {
  const rows = resource(home, 'Custom::DcmProviderRows');

  it('are one for each region, by names that the function knows', () => {
    expect(ResourceProperties.parse(rows.Properties)).toEqual({
      controlPlaneUrl: 'http://dcm.test:8080',
      rowNames: ['ec2-sp', 'ec2-sp-us-east-1'],
    });
  });

  it('are registered again when the address of the API changes', () => {
    expect(rows.Properties.publicUrl).toEqual({
      'Fn::GetAtt': [expect.stringMatching('^ProviderApi'), 'ApiEndpoint'],
    });
  });

  it('are registered after the API is created (C 56), and delay a deployment by five minutes at most', () => {
    const stage = resource(home, 'AWS::ApiGatewayV2::Stage').id;

    expect(rows.DependsOn).toEqual(
      expect.arrayContaining([stage, resource(home, 'AWS::ApiGatewayV2::Route').id]),
    );
    expect(rows.Properties.ServiceTimeout).toBe('300');
  });

  it('are withdrawn after the schedule was deleted (C 52)', () => {
    const schedules = Object.values(
      home.findResources('AWS::Events::Rule', { Properties: { ScheduleExpression: 'rate(1 minute)' } }),
    );

    expect(schedules).toHaveLength(1);
    expect(schedules[0]?.DependsOn).toContain(rows.id);
  });

  it('are reported to CloudFormation by a framework that may only invoke the function', () => {
    const beyondLogs = allowedBy(home, 'RegistrationProviderRole')
      .flatMap(({ Action }) => Action)
      .filter((action) => !action.startsWith('logs:'));

    expect(beyondLogs).toEqual(['lambda:InvokeFunction', 'lambda:GetFunction']);
  });

  it('have the answer of DCM as an output', () => {
    home.hasOutput('RegistrationOutcome', { Value: { 'Fn::GetAtt': [rows.id, 'outcome'] } });
  });
});

describe('registration with a token in the endpoint, from the VPC of NATS', () => {
  const { app, home: placed } = synthesized({
    ...provisioningSettings,
    nats: { ...leastSettings.nats, vpc },
    controlPlane: { url: 'https://dcm.test', endpointCredentials: true, vpc: true },
  });

  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('is in the same subnets and security group as the nats-bridge', () => {
    const bridge = placed.findResources('AWS::Lambda::Function', {
      Properties: { FunctionName: 'ec2-sp-nats-bridge' },
    });
    const [{ Properties } = { Properties: {} }] = Object.values(bridge);

    placed.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ec2-sp-registration',
      VpcConfig: Properties.VpcConfig,
    });
    expect(Properties.VpcConfig.SubnetIds).toEqual(vpc.subnetIds);
  });

  it('reads the token of the API', () => {
    expect(environmentOf(placed, 'ec2-sp-registration').ENDPOINT_TOKEN_SECRET).toBe('dcm/api');
    const onSecrets = allowedBy(placed, 'RegistrationRole').filter(({ Action }) =>
      Action.includes('secretsmanager:GetSecretValue'),
    );
    expect(JSON.stringify(onSecrets.map(({ Resource }) => Resource))).toContain(':secret:dcm/api-??????');
  });
});

describe('registration at an environment agent for each region', () => {
  const auth = { tokenEndpoint: 'https://sso.test/token', clientId: 'ec2-sp', clientSecret: 'dcm/client' };
  const { agent: first, ...rest } = agentSettings;
  const second = {
    ...{ url: 'https://agent-2.test', topic: 'aws-2', caller: 'proxy', publicUrl: 'https://proxy.test' },
    auth: { tokenSecret: 'dcm/agent-token' },
  };
  const deployed = synthesized({
    ...{ ...rest, ...twoRegions },
    agents: { 'eu-west-1': { ...first, auth }, 'us-east-1': second },
  });

  it('knows where each region is registered, how it gets a token, and how the agent authenticates at the API (Y 1)', () => {
    expect(toldTo(deployed)).toMatchObject({
      ENDPOINT_TOKEN_SECRET: 'dcm/api',
      REGISTRIES_FILE: {
        'eu-west-1': { kind: 'agent', url: 'https://agent.test', endpointCredentials: true, auth },
        'us-east-1': {
          ...{ kind: 'agent', url: 'https://agent-2.test', publicUrl: 'https://proxy.test' },
          ...{ endpointCredentials: false, auth: { tokenSecret: 'dcm/agent-token' } },
        },
      },
    });
  });

  it('may read the secrets that its settings name, and no others (Y 3)', () => {
    const secrets = allowedBy(deployed.home, 'RegistrationRole')
      .filter(({ Action }) => Action.includes('secretsmanager:GetSecretValue'))
      .map(({ Resource }) => JSON.stringify(Resource).match(/:secret:([\w/-]+)-\?{6}/)?.[1]);

    expect(secrets.toSorted()).toEqual(['dcm/agent-token', 'dcm/api', 'dcm/client']);
  });

  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(deployed.app).validateScope(deployed.app).violations).toEqual([]);
  });

  it('is repeated when an agent moves, with properties that earlier versions understand', () => {
    const { Properties } = resource(deployed.home, 'Custom::DcmProviderRows');

    expect(ResourceProperties.parse(Properties)).toEqual({
      controlPlaneUrl: 'https://agent.test,https://agent-2.test',
      rowNames: ['ec2-sp', 'ec2-sp-us-east-1'],
    });
  });

  it('prints the permissions of the NATS user at synthesis and has them as an output (Y 1)', () => {
    const permissions =
      'permissions { publish: ["dcm.vm", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.MSG.GET.dcm-agent-requests", "$JS.API.STREAM.MSG.GET.aws-eu-west-1-retry", "$JS.API.STREAM.MSG.GET.aws-2-retry"], subscribe: ["_INBOX.>"] }';

    expect(deployed.infos).toContain(
      `The NATS user of the nats-bridge needs: ${permissions} [ack: dcm:nats-permissions]`,
    );
    deployed.home.hasOutput('NatsPermissions', { Value: permissions });
    expect(home.findOutputs('NatsPermissions')).toEqual({});
  });
});
