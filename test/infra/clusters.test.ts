import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { Env } from '../../functions/cluster-steps/env.ts';
import { allowedBy, allTypes, clusters, environmentOf, synthesized, textOf } from './synthesized.ts';

const administrators = ['arn:aws:iam::123456789012:role/administrators'];
const { home } = synthesized({ ...allTypes, clusters: { ...clusters, adminPrincipals: administrators } });

const allowing = (box: string, action: string) =>
  allowedBy(home, `${box}Role`).filter(({ Action }) => Action.includes(action));
const resourcesOf = (box: string, action: string) =>
  allowing(box, action).flatMap(({ Resource }) => Resource.map(textOf));
const conditionsOf = (box: string, action: string) => allowing(box, action).map(({ Condition }) => Condition);

const all = ['arn:aws:eks:eu-west-1:<AccountId>:cluster/*'];
const nodeGroups = ['arn:aws:eks:eu-west-1:<AccountId>:nodegroup/*/*/*'];
const ours = (key: string) => ({ [`aws:${key}/managed-by`]: 'dcm', [`aws:${key}/dcm-provider`]: 'ec2-sp' });

describe('permissions on EKS', () => {
  const actionsOf = (box: string) =>
    [...new Set(allowedBy(home, `${box}Role`).flatMap(({ Action }) => Action))]
      .filter((action) => action.startsWith('eks:'))
      .sort();
  const reading = ['eks:DescribeCluster', 'eks:DescribeNodegroup', 'eks:ListClusters', 'eks:ListNodegroups'];

  it.each([
    ['ProviderApi', [...reading, 'eks:CreateCluster', 'eks:DescribeClusterVersions', 'eks:TagResource']],
    ['Normaliser', [...reading, 'eks:DescribeUpdate', 'eks:ListUpdates']],
    ['Poller', [...reading, 'eks:DescribeUpdate', 'eks:ListUpdates']],
    [
      'ClusterSteps',
      [
        ...reading,
        'eks:AssociateAccessPolicy',
        'eks:CreateAccessEntry',
        'eks:CreateNodegroup',
        'eks:DeleteCluster',
        'eks:DeleteNodegroup',
        'eks:ListAccessEntries',
        'eks:TagResource',
      ],
    ],
    ['NatsBridge', []],
    ['Registration', []],
  ])('of the %s are only these', (box, actions) => {
    expect(actionsOf(box)).toEqual([...actions].sort());
  });

  it('create clusters only with both ownership tags, in the configured regions', () => {
    expect(conditionsOf('ProviderApi', 'eks:CreateCluster')).toEqual([
      { StringEquals: { ...ours('RequestTag'), 'aws:RequestedRegion': ['eu-west-1'] } },
    ]);
  });

  it('pass only the configured roles to EKS', () => {
    const toEks = allowing('ProviderApi', 'iam:PassRole').filter(({ Condition }) =>
      JSON.stringify(Condition).includes('eks'),
    );

    expect(toEks.map(({ Resource }) => Resource)).toEqual([[clusters.clusterRoleArn, clusters.nodeRoleArn]]);
  });

  it('read the clusters and node groups of the configured regions only', () => {
    expect(resourcesOf('Poller', 'eks:DescribeCluster')).toEqual(all);
    expect(resourcesOf('Poller', 'eks:DescribeNodegroup')).toEqual(nodeGroups);
    expect(resourcesOf('Normaliser', 'eks:DescribeUpdate')).toEqual([...all, ...nodeGroups]);
    expect(conditionsOf('Poller', 'eks:ListClusters')).toEqual([
      { StringEquals: { 'aws:RequestedRegion': ['eu-west-1'] } },
    ]);
  });

  it('create node groups only with both ownership tags, for clusters that have them', () => {
    expect(resourcesOf('ClusterSteps', 'eks:CreateNodegroup')).toEqual(all);
    expect(conditionsOf('ClusterSteps', 'eks:CreateNodegroup')).toEqual([
      { StringEquals: { ...ours('ResourceTag'), ...ours('RequestTag') } },
    ]);
    expect(allowing('ClusterSteps', 'iam:PassRole')).toEqual([
      expect.objectContaining({
        Resource: [clusters.nodeRoleArn],
        Condition: { StringEquals: { 'iam:PassedToService': ['eks.amazonaws.com'] } },
      }),
    ]);
  });

  it.each(['eks:DeleteCluster', 'eks:DeleteNodegroup'])('%s only what has both ownership tags', (action) => {
    expect(resourcesOf('ClusterSteps', action)).toEqual([...all, ...nodeGroups]);
    expect(conditionsOf('ClusterSteps', action)).toEqual([{ StringEquals: ours('ResourceTag') }]);
  });

  it('make only the configured principals administrators, and nothing else of them', () => {
    expect(conditionsOf('ClusterSteps', 'eks:CreateAccessEntry')).toEqual([
      { StringEquals: ours('ResourceTag'), ArnEquals: { 'eks:principalArn': administrators } },
    ]);
    expect(conditionsOf('ClusterSteps', 'eks:AssociateAccessPolicy')).toEqual([
      {
        ArnEquals: {
          'eks:principalArn': administrators,
          'eks:policyArn': 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy',
        },
      },
    ]);
    expect(
      allowedBy(synthesized(allTypes).home, 'ClusterStepsRole').flatMap(({ Action }) => Action),
    ).not.toContain('eks:CreateAccessEntry');
  });
});

describe('cluster-steps', () => {
  it('has the environment that it requires, without the settings that it does not need', () => {
    const environment = Env.parse(environmentOf(home, 'ec2-sp-cluster-steps'));

    expect(environment).toMatchObject({
      PROVIDER_NAME: 'ec2-sp',
      STEP_SECONDS: 25,
      CLUSTERS: {
        home: { nodeRoleArn: clusters.nodeRoleArn, adminPrincipals: administrators, changeAdopted: false },
        accounts: {},
      },
    });
    expect(JSON.stringify(environment)).not.toContain(clusters.clusterRoleArn);
  });

  it('is invoked by its own queue, two messages at a time, which EKS does not throttle', () => {
    home.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ClusterStepsQueue'), 'Arn'] },
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
    home.hasResourceProperties('AWS::SQS::Queue', {
      VisibilityTimeout: 180,
      MessageRetentionPeriod: 14 * 24 * 3600,
      RedrivePolicy: Match.absent(),
    });
  });

  it('may read the table and queue observations and steps, and no more', () => {
    const others = allowedBy(home, 'ClusterStepsRole').flatMap(({ Action }) =>
      Action.filter((action) => /^(dynamodb|sqs|lambda):/.test(action)),
    );

    expect([...new Set(others)].sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ]);
  });

  it.each(['provider-api', 'poller'])('gets requests from the %s', (box) => {
    const { CLUSTER_STEPS_QUEUE_URL } = environmentOf(home, `ec2-sp-${box}`);

    expect(CLUSTER_STEPS_QUEUE_URL).toBeDefined();
  });

  it('leaves the words for a status to the normaliser, which has them from the settings', () => {
    expect(environmentOf(home, 'ec2-sp-normaliser').CLUSTER_WORDS).toBe('current');
  });

  it('exists only in a deployment with clusters', () => {
    const plain = synthesized({ ...allTypes, clusters: undefined }).home;

    expect(JSON.stringify(plain.toJSON())).not.toMatch(/cluster-?steps/i);
  });
});
