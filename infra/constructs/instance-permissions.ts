import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { managedByDcm } from '../../shared/domain/tags.ts';
import type { Settings } from '../settings.ts';
import { justify, wildcard } from './wildcard.ts';

type Choices = Pick<Settings, 'provider' | 'tags'> & {
  readonly provisioning: NonNullable<Settings['provisioning']>;
};

/**
 * Lets a function launch instances that carry our tags, and change those that do: nobody else's, whatever it is asked. IAM sees to it that
 * they are of the allowed families, and take no metadata requests without a token.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
export const grantInstances = (caller: LambdaFunction, { provider, tags, provisioning }: Choices): void => {
  const ec2 = (kind: string) => wildcard(caller, { service: 'ec2', resource: `${kind}/*` });
  const image = wildcard(caller, { service: 'ec2', resource: 'image/*', account: '' });
  const made = [ec2('instance'), ec2('volume')];
  const used = [image, ec2('subnet'), ec2('security-group'), ec2('network-interface')];
  const requested = provisioning.spot ? [ec2('spot-instances-request')] : [];

  const inRegions = { 'aws:RequestedRegion': Object.keys(provisioning.regions) };
  const ours = (key: 'RequestTag' | 'ResourceTag') => ({
    [`aws:${key}/${tags.managedBy}`]: managedByDcm,
    [`aws:${key}/${tags.provider}`]: provider.name,
  });
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
  allow(['CreateTags'], made, { 'ec2:CreateAction': 'RunInstances' });
  allow(
    ['StartInstances', 'StopInstances', 'RebootInstances', 'TerminateInstances'],
    [ec2('instance')],
    ours('ResourceTag'),
  );
  justify(
    caller,
    'Instances and what belongs to them have no names before they are there: they are known by the tags in the conditions.',
    [...made, ...used, ...requested],
  );
};
