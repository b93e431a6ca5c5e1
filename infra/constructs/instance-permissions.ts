import { Annotations, ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { configuredImageIds, imageOwnersOf } from '../../shared/service-types/vm/image-catalogue.ts';
import { securityGroupIdsOf, subnetIdsOf } from '../../shared/service-types/vm/provisioning.ts';
import type { Settings } from '../settings/settings.ts';
import { type Grantee, justify, ownershipTags, partitionIn, wildcard } from './permissions.ts';

type Provisioning = NonNullable<Settings['provisioning']>;
type Choices = Pick<Settings, 'provider' | 'tags'> & { readonly provisioning: Provisioning };

/**
 * Allows a function to launch instances with our tags, and to change only instances that have them. IAM conditions require the allowed
 * families, subnets, security groups and images, and metadata requests with a token.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
export const grantInstances = (caller: Grantee, { provider, tags, provisioning }: Choices): void => {
  const ec2 = (kind: string) => wildcard(caller, { service: 'ec2', resource: `${kind}/*` });
  const made = [ec2('instance'), ec2('volume')];
  const used = [ec2('network-interface')];
  const requested = provisioning.spot ? [ec2('spot-instances-request')] : [];

  const inRegions = { 'aws:RequestedRegion': Object.keys(provisioning.regions) };
  const ours = (key: 'RequestTag' | 'ResourceTag') => ownershipTags({ provider, tags }, key);
  const allow = (actions: string[], resources: string[], StringEquals: object, StringLike?: object) =>
    caller.addToRolePolicy(
      new PolicyStatement({
        actions: actions.map((action) => `ec2:${action}`),
        resources,
        conditions: { StringEquals: { ...inRegions, ...StringEquals }, ...(StringLike && { StringLike }) },
      }),
    );

  const families = { 'ec2:InstanceType': provisioning.families.map((family) => `${family}.*`) };
  const tokens = { 'ec2:MetadataHttpTokens': 'required' };
  allow(['RunInstances'], [ec2('instance')], { ...ours('RequestTag'), ...tokens }, families);
  allow(['RunInstances'], [ec2('volume')], ours('RequestTag'));
  allow(['RunInstances'], [...used, ...requested], {});
  grantImages(caller, provisioning, allow);
  for (const [region, network] of Object.entries(provisioning.regions)) grantNetwork(caller, region, network);
  allow(['CreateTags'], made, { 'ec2:CreateAction': 'RunInstances' });
  allow(
    ['StartInstances', 'StopInstances', 'RebootInstances', 'TerminateInstances'],
    [ec2('instance')],
    ours('ResourceTag'),
  );
  justify(
    caller,
    'The ids of instances and their volumes and interfaces are not known in advance: the conditions compare tags.',
    [...made, ...used, ...requested],
  );
};

type Allow = (actions: string[], resources: string[], StringEquals: object) => void;

/**
 * Allows launches from images of the allowed owners, and from those that the settings name by id. An image that a parameter of the account
 * names must be the account's own.
 */
const grantImages = (caller: Grantee, provisioning: Provisioning, allow: Allow): void => {
  const image = (id: string) => wildcard(caller, { service: 'ec2', resource: `image/${id}`, account: '' });
  const { account } = Stack.of(caller);
  const named = Object.values(provisioning.images).some((source) => 'ssmParameter' in source)
    ? [account]
    : [];
  const owners = imageOwnersOf(provisioning, partitionIn(caller).name).map((owner) =>
    owner === 'self' ? account : owner,
  );
  const ids = configuredImageIds(provisioning).map(image);
  allow(['RunInstances'], [image('*')], { 'ec2:Owner': [...new Set([...owners, ...named])] });
  if (ids.length > 0) allow(['RunInstances'], ids, {});
  justify(
    caller,
    'Publishers release new images all the time: the conditions compare their owners. An image has one ARN in each region.',
    [image('*'), ...ids],
  );
};

/**
 * Allows launches into the subnets and security groups of one region. If none are configured, EC2 chooses, and its choice is not known in
 * advance: IAM then allows every one of the region, and synthesis prints a warning.
 */
const grantNetwork = (caller: Grantee, region: string, network: Provisioning['regions'][string]): void => {
  const arn = (kind: string, id: string) =>
    Stack.of(caller).formatArn({
      service: 'ec2',
      region,
      resource: kind,
      resourceName: id,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  const any = (kind: string) => wildcard(caller, { service: 'ec2', region, resource: `${kind}/*` });
  const choices = [
    {
      ...{
        kind: 'subnet',
        setting: 'subnets',
        words: 'a subnet of the default VPC, and refuses every launch where the region has none',
      },
      ids: network.subnets.length > 0 ? subnetIdsOf(network) : [],
    },
    {
      ...{ kind: 'security-group', setting: 'securityGroupIds', words: "the VPC's default security group" },
      ids: network.securityGroupIds.length > 0 ? securityGroupIdsOf(network) : [],
    },
  ];
  const open = choices.filter(({ ids }) => ids.length === 0);
  const resources = choices.flatMap(({ kind, ids }) =>
    ids.length === 0 ? [any(kind)] : ids.map((id) => arn(kind, id)),
  );
  caller.addToRolePolicy(new PolicyStatement({ actions: ['ec2:RunInstances'], resources }));
  for (const { kind, setting, words } of open) {
    Annotations.of(caller).addWarningV2(
      `dcm-ec2-service-provider:any-${kind}-${region}`,
      `Setting "provisioning.regions.${region}.${setting}" is empty: EC2 chooses ${words}, so IAM allows the provider-api every ${kind.replace('-', ' ')} of ${region}. List those that it may use; IAM then allows no others.`,
    );
  }
  justify(
    caller,
    'If the settings leave the choice to EC2, it is not known before the launch. Synthesis warns of it.',
    open.map(({ kind }) => any(kind)),
  );
};
