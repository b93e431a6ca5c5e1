import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type Partition, partitionOf } from '../../shared/adapters/aws/regions.ts';
import type { Settings } from '../settings/settings.ts';
import {
  createServiceLinkedRole,
  type Grantee,
  inRegions,
  justify,
  partitionIn,
  passRoles,
  wildcard,
} from './permissions.ts';

type Provisioning = NonNullable<Settings['provisioning']>;

/** Allows a function to look up what EC2 offers: images, instance types, quotas. */
export const grantOfferings = (caller: Grantee, provisioning: Provisioning): void => {
  caller.addToRolePolicy(
    inRegions(
      Object.keys(provisioning.regions),
      ...['ec2:DescribeImages', 'ec2:DescribeInstances', 'ec2:DescribeInstanceTypes'],
      'servicequotas:GetServiceQuota',
    ),
  );
  const published = wildcard(caller, {
    service: 'ssm',
    account: '',
    resource: 'parameter/aws/service/*',
  });
  caller.addToRolePolicy(
    new PolicyStatement({
      actions: ['ssm:GetParameter'],
      resources: [published, ...ownParameters(caller, provisioning)],
    }),
  );
  justify(caller, 'These actions read what EC2 offers and have no resource-level permissions.', ['*']);
  justify(caller, "These are AWS's public parameters, in which publishers store the ids of their images.", [
    published,
  ]);
};

/** Allows reading the account's parameters that name images, if the settings have some. */
const ownParameters = (caller: Grantee, { images, regions }: Provisioning): string[] =>
  Object.values(images).flatMap((image) =>
    'ssmParameter' in image && !image.ssmParameter.startsWith('/aws/service/')
      ? Object.keys(regions).map((region) =>
          Stack.of(caller).formatArn({
            service: 'ssm',
            region,
            resource: `parameter/${image.ssmParameter.replace(/^\//, '')}`,
            arnFormat: ArnFormat.NO_RESOURCE_NAME,
          }),
        )
      : [],
  );

/** Allows launches with the configured roles, keys and spot capacity, and with no others. */
export const grantExtras = (caller: Grantee, provisioning: Provisioning): void => {
  const statements = [
    ...rolesOfProfiles(caller, provisioning),
    ...keysOfDisks(provisioning),
    ...(provisioning.spot ? [spotRole(caller)] : []),
  ];
  for (const statement of statements) caller.addToRolePolicy(statement);
};

const rolesOfProfiles = (caller: Grantee, { instanceProfiles }: Provisioning): PolicyStatement[] =>
  instanceProfiles.length === 0
    ? []
    : [
        passRoles(
          instanceProfiles.map(({ roleArn }) => roleArn),
          ec2Principals(partitionIn(caller)),
        ),
      ];

/** EC2's service principals in a partition: most partitions use the commercial one, some their own DNS suffix. */
const ec2Principals = ({ dnsSuffix }: Partition, of = ''): string[] => [
  ...new Set(['amazonaws.com', dnsSuffix].map((suffix) => `ec2.${of}${suffix}`)),
];

/** @see https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html */
const keysOfDisks = ({ regions }: Provisioning): PolicyStatement[] =>
  Object.entries(regions).flatMap(([region, { kmsKeyId }]) => {
    if (kmsKeyId === undefined) return [];
    const StringEquals = { 'kms:ViaService': ec2Principals(partitionOf(region), `${region}.`) };
    const reading = [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ];
    return [
      new PolicyStatement({ actions: reading, resources: [kmsKeyId], conditions: { StringEquals } }),
      new PolicyStatement({
        actions: ['kms:CreateGrant'],
        resources: [kmsKeyId],
        conditions: { StringEquals, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      }),
    ];
  });

/** The first spot instance of an account needs EC2's service-linked role for spot instances. */
const spotRole = (caller: Grantee): PolicyStatement =>
  createServiceLinkedRole(caller, 'spot.amazonaws.com', 'AWSServiceRoleForEC2Spot');
