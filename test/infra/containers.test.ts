import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { Env as NormaliserEnv } from '../../functions/normaliser/env.ts';
import { Env as PollerEnv } from '../../functions/poller/env.ts';
import { ProvisioningFile } from '../../functions/provider-api/env.ts';
import {
  agentSettings,
  allowedBy,
  allTypes,
  containers,
  environmentOf,
  patternsOf,
  provisioningSettings,
  synthesized,
  textOf,
} from './synthesized.ts';

const webRole = 'arn:aws:iam::123456789012:role/web';
const inIreland = containers.regions['eu-west-1'];
const complete = synthesized({
  ...allTypes,
  streamingRegions: ['us-east-1'],
  legacyRegions: ['me-south-1'],
  containers: {
    ...containers,
    regions: {
      'eu-west-1': inIreland,
      'us-east-1': inIreland,
      'me-south-1': { ...inIreland, ecsCluster: 'apps', logGroup: '/apps' },
    },
    taskRoles: [webRole],
    publicAddresses: true,
  },
});
const { app, home, streaming, filesOf } = complete;
const plain = synthesized({ ...provisioningSettings, streamingRegions: ['us-east-1'] });

const allowing = (box: string, action: string) =>
  allowedBy(home, `${box}Role`).filter(({ Action }) => Action.includes(action));
const resourcesOf = (box: string, action: string) =>
  allowing(box, action).flatMap(({ Resource }) => Resource.map(textOf));
const conditionsOf = (box: string, action: string) =>
  allowing(box, action).map(({ Condition }) => JSON.parse(JSON.stringify(Condition ?? null), textOfArns));
const textOfArns = (_: string, value: unknown): unknown => (isJoin(value) ? textOf(value) : value);
const isJoin = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'Fn::Join' in value;

const inOurClusters = {
  ArnEquals: {
    'ecs:cluster': [
      'arn:aws:ecs:eu-west-1:<AccountId>:cluster/ec2-sp',
      'arn:aws:ecs:us-east-1:<AccountId>:cluster/ec2-sp',
      'arn:aws:ecs:me-south-1:<AccountId>:cluster/apps',
    ],
  },
};
const tasks = [
  'arn:aws:ecs:eu-west-1:<AccountId>:task/ec2-sp/*',
  'arn:aws:ecs:us-east-1:<AccountId>:task/ec2-sp/*',
  'arn:aws:ecs:me-south-1:<AccountId>:task/apps/*',
];
const definitions = ['eu-west-1', 'us-east-1', 'me-south-1'].map(
  (region) => `arn:aws:ecs:${region}:<AccountId>:task-definition/dcm-ec2-sp-*:*`,
);
const regions = { StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1', 'me-south-1'] } };

describe('a deployment with containers', () => {
  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it.each([home, ...streaming])(
    'makes an ECS cluster for Fargate and a log group in each region that has a stack',
    (template) => {
      template.hasResourceProperties('AWS::ECS::Cluster', {
        ClusterName: 'ec2-sp',
        CapacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      });
      template.hasResource('AWS::Logs::LogGroup', {
        Properties: { LogGroupName: '/dcm/ec2-sp/containers', RetentionInDays: 30 },
        DeletionPolicy: 'Delete',
      });
    },
  );

  it('makes neither where the settings name existing ones, and neither roles nor networks anywhere', () => {
    const given = synthesized({
      ...allTypes,
      containers: {
        ...containers,
        regions: { 'eu-west-1': { ...inIreland, ecsCluster: 'apps', logGroup: '/apps' } },
      },
    });

    given.home.resourceCountIs('AWS::ECS::Cluster', 0);
    expect(JSON.stringify(given.home.toJSON())).not.toContain('/dcm/ec2-sp/containers');
    for (const template of [home, ...streaming]) {
      template.resourceCountIs('AWS::EC2::Subnet', 0);
      template.allResourcesProperties('AWS::IAM::Role', {
        AssumeRolePolicyDocument: {
          Statement: [{ Principal: { Service: Match.not('ecs-tasks.amazonaws.com') } }],
        },
      });
    }
  });

  it('gives the provider-api the names of what it made and of what it was given', () => {
    const file = ProvisioningFile.parse(JSON.parse(filesOf('provider-api')['provisioning.json'] ?? ''));

    expect(file.containers?.regions).toMatchObject({
      'eu-west-1': { ecsCluster: 'ec2-sp', logGroup: '/dcm/ec2-sp/containers' },
      'us-east-1': { ecsCluster: 'ec2-sp', logGroup: '/dcm/ec2-sp/containers' },
      'me-south-1': { ecsCluster: 'apps', logGroup: '/apps' },
    });
  });
});

describe('events of tasks', () => {
  const ofTasks = (template: typeof home) =>
    patternsOf(template)
      .map((pattern) => JSON.parse(JSON.stringify(pattern), textOfArns))
      .filter(({ source }) => source.includes('aws.ecs'));
  const pattern = (...clusterArn: string[]) => ({
    source: ['aws.ecs'],
    'detail-type': ['ECS Task State Change'],
    account: [{ Ref: 'AWS::AccountId' }],
    detail: { clusterArn, group: [{ prefix: 'ec2-sp/' }] },
  });
  const [inIrelandArn, inVirginiaArn] = inOurClusters.ArnEquals['ecs:cluster'];

  it('of this provider alone are forwarded from a streaming region', () => {
    expect(streaming.map(ofTasks)).toEqual([[pattern(inVirginiaArn ?? '')]]);
  });

  it('are matched in the home region for every region that sends events there', () => {
    expect(ofTasks(home)).toEqual([pattern(inIrelandArn ?? '', inVirginiaArn ?? '')]);
  });

  it('are found by listings alone in a legacy region', () => {
    const { REGIONS } = PollerEnv.parse(environmentOf(home, 'ec2-sp-poller'));

    expect(REGIONS.filter(({ target }) => target.serviceType !== undefined)).toEqual([
      { target: { region: 'eu-west-1', serviceType: 'container' }, mode: 'streaming' },
      { target: { region: 'us-east-1', serviceType: 'container' }, mode: 'streaming' },
      { target: { region: 'me-south-1', serviceType: 'container' }, mode: 'legacy' },
      { target: { region: 'eu-west-1', serviceType: 'cluster' }, mode: 'legacy' },
    ]);
  });
});

describe('the normaliser of a deployment with containers', () => {
  const environment = NormaliserEnv.parse(environmentOf(home, 'ec2-sp-normaliser'));

  it('is told the ECS cluster of each region', () => {
    expect(environment).toMatchObject({
      SERVICE_TYPES: ['vm', 'container', 'cluster'],
      ECS_CLUSTERS: { 'eu-west-1': 'ec2-sp', 'us-east-1': 'ec2-sp', 'me-south-1': 'apps' },
      PUBLIC_CONTAINERS: 'true',
    });
  });

  it('reports a starting container as PENDING only where no environment agent would create it again', () => {
    const behindAgent = synthesized({ ...agentSettings, containers });

    expect(environment.STARTING_AS).toBe('PENDING');
    expect(environmentOf(behindAgent.home, 'ec2-sp-normaliser').STARTING_AS).toBe('PROVISIONING');
  });
});

describe('a deployment without containers and clusters', () => {
  it('has no resource, rule, permission or setting of ECS or EKS', () => {
    for (const template of [plain.home, ...plain.streaming])
      expect(JSON.stringify(template.toJSON())).not.toMatch(
        /AWS::ECS|aws\.ecs|\becs[:-]|\beks[:.-]|SERVICE_TYPES|STARTING_AS/,
      );
    expect(plain.filesOf('provider-api')['provisioning.json']).not.toMatch(/containers|clusters/);
  });
});

describe('permissions on ECS', () => {
  const actionsOf = (box: string) =>
    [...new Set(allowedBy(home, `${box}Role`).flatMap(({ Action }) => Action))]
      .filter((action) => /^ecs:|NetworkInterfaces$|^iam:PassRole$/.test(action))
      .sort();

  it.each([
    [
      'ProviderApi',
      [
        'ec2:DescribeNetworkInterfaces',
        'ecs:DescribeClusters',
        'ecs:DescribeTaskDefinition',
        'ecs:DescribeTasks',
        'ecs:ListTasks',
        'ecs:RegisterTaskDefinition',
        'ecs:RunTask',
        'ecs:StopTask',
        'ecs:TagResource',
        'iam:PassRole',
      ],
    ],
    ['Normaliser', ['ec2:DescribeNetworkInterfaces', 'ecs:DescribeTasks']],
    ['Poller', ['ecs:DescribeTasks', 'ecs:ListTasks']],
    ['NatsBridge', []],
    ['Registration', []],
  ])('of the %s are only these', (box, actions) => {
    expect(actionsOf(box)).toEqual(actions);
  });

  it('run tasks only in the configured ECS clusters, from definitions of the provider, with both ownership tags', () => {
    expect(resourcesOf('ProviderApi', 'ecs:RunTask')).toEqual(definitions);
    expect(conditionsOf('ProviderApi', 'ecs:RunTask')).toEqual([
      {
        ...inOurClusters,
        StringEquals: { 'aws:RequestTag/managed-by': 'dcm', 'aws:RequestTag/dcm-provider': 'ec2-sp' },
      },
    ]);
    expect(resourcesOf('ProviderApi', 'ecs:RegisterTaskDefinition')).toEqual(definitions);
  });

  it.each([
    ['ProviderApi', 'ecs:StopTask'],
    ['ProviderApi', 'ecs:DescribeTasks'],
    ['Normaliser', 'ecs:DescribeTasks'],
    ['Poller', 'ecs:DescribeTasks'],
  ])('of the %s include %s only for tasks of the configured ECS clusters', (box, action) => {
    expect(resourcesOf(box, action)).toEqual(tasks);
    expect(conditionsOf(box, action)).toEqual([inOurClusters]);
  });

  it('list tasks only in the configured ECS clusters', () => {
    expect(conditionsOf('Poller', 'ecs:ListTasks')).toEqual([inOurClusters]);
    expect(resourcesOf('Poller', 'ecs:ListTasks')).toEqual(
      tasks.map((arn) => arn.replace(':task/', ':container-instance/')),
    );
  });

  it('tag only tasks that are being run', () => {
    expect(resourcesOf('ProviderApi', 'ecs:TagResource')).toEqual(tasks);
    expect(conditionsOf('ProviderApi', 'ecs:TagResource')).toEqual([
      { StringEquals: { 'ecs:CreateAction': 'RunTask' } },
    ]);
  });

  it('pass only the configured roles to tasks', () => {
    const toTasks = allowing('ProviderApi', 'iam:PassRole').filter(({ Condition }) =>
      JSON.stringify(Condition).includes('ecs-tasks'),
    );

    expect(toTasks).toEqual([
      {
        Effect: 'Allow',
        Action: ['iam:PassRole'],
        Resource: [containers.executionRoleArn, webRole],
        Condition: { StringEquals: { 'iam:PassedToService': ['ecs-tasks.amazonaws.com'] } },
      },
    ]);
  });

  it('look up network interfaces only where containers get public addresses', () => {
    expect(conditionsOf('Normaliser', 'ec2:DescribeNetworkInterfaces')).toEqual([regions]);
    expect(allowedBy(synthesized(allTypes).home).flatMap(({ Action }) => Action)).not.toContain(
      'ec2:DescribeNetworkInterfaces',
    );
  });
});
