import { describe, expect, it } from 'vitest';
import { allowedBy, allTypes, clusters, synthesized, textOf } from './synthesized.ts';

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
    ['Normaliser', reading],
    ['Poller', reading],
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
    expect(conditionsOf('Poller', 'eks:ListClusters')).toEqual([
      { StringEquals: { 'aws:RequestedRegion': ['eu-west-1'] } },
    ]);
  });
});
