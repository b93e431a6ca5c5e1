import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { StepSettings } from '../../functions/cluster-steps/env.ts';
import { PolledRegion } from '../../functions/poller/env.ts';
import { ProvisioningFile } from '../../functions/provider-api/env.ts';
import { Registries } from '../../functions/registration/env.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { AccountsFile, accountsFile } from '../../shared/runtime/accounts.ts';
import { forwardedPatternsOf } from '../../shared/service-types/events.ts';
import { refusalOf } from './refused.ts';
import {
  agentSettings,
  allowedBy,
  allTypes,
  clusters,
  containers,
  environmentOf,
  inventory,
  leastSettings,
  provisioningSettings,
  synthesized,
} from './synthesized.ts';

const id = '222222222222';
const externalId = 'an-external-id-of-the-tests';
const roleHere = (name: string) => `arn:aws:iam::${id}:role/${name}`;
const network = {
  subnets: [{ id: 'subnet-0123456789abcdef0', zone: 'eu-west-1a' }],
  securityGroupIds: ['sg-0123456789abcdef0'],
};
const created = {
  provisioning: {
    regions: { 'eu-west-1': network },
    instanceProfiles: [{ profile: 'web', roleArn: roleHere('web') }],
    spot: true,
  },
  containers: { ...containers, executionRoleArn: roleHere('pull-images') },
  clusters: {
    ...clusters,
    clusterRoleArn: roleHere('control-plane'),
    nodeRoleArn: roleHere('nodes'),
    adminPrincipals: [roleHere('admins')],
  },
};
const prod = {
  id,
  streamingRegions: ['eu-west-1', 'us-east-1'],
  legacyRegions: ['ap-south-2'],
  ...created,
  api: { tokenSecret: 'dcm/prod' },
};
const reportedOnly = { id: '333333333333', legacyRegions: ['eu-west-1'] };
const organization = { id: 'o-a1b2c3d4e5', deployTo: { organizationalUnits: ['ou-ab12-11111111'] } };
const withAccounts = { ...provisioningSettings, externalId, accounts: { prod, audit: reportedOnly } };

const complete = synthesized({ ...withAccounts, organization });
const { home } = complete;
const templateOf = ({ accounts }: Pick<typeof complete, 'accounts'>, alias: string) => {
  const body = accounts.find((one) => one.alias === alias)?.body ?? '';
  return { body, template: Template.fromJSON(JSON.parse(body)) };
};
const { template, body } = templateOf(complete, 'prod');

const Trust = z.object({
  Path: z.string(),
  RoleName: z.string(),
  AssumeRolePolicyDocument: z.object({
    Statement: z.tuple([
      z.object({
        Effect: z.literal('Allow'),
        Action: z.literal('sts:AssumeRole'),
        Principal: z.object({ AWS: z.unknown() }),
        Condition: z.object({
          StringEquals: z.record(z.string(), z.unknown()),
          ArnLike: z.record(z.string(), z.unknown()),
        }),
      }),
    ]),
  }),
});
const trusts = (of: Template) =>
  Object.values(of.findResources('AWS::IAM::Role', { Properties: { RoleName: Match.anyValue() } })).map(
    ({ Properties }) => Trust.parse(Properties),
  );

const Joined = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });
const parameters: Record<string, string> = { HubAccount: '111111111111', ExternalId: externalId };
/** A value of the template with the parameters of a deployment. */
const deployed = (value: unknown): string => {
  const [separator, parts] = Joined.safeParse(value).data?.['Fn::Join'] ?? [];
  if (parts !== undefined) return parts.map(deployed).join(separator);
  const { Ref } = z.object({ Ref: z.string().optional() }).safeParse(value).data ?? {};
  return Ref === undefined ? String(value) : (parameters[Ref] ?? `<${Ref}>`);
};

type Caller = Readonly<Record<string, string | undefined>>;

/** What IAM decides of a trust policy with StringEquals and ArnLike: every key must be in the request, and match. */
const admits = ({ AssumeRolePolicyDocument }: z.infer<typeof Trust>, caller: Caller): boolean => {
  const [{ Principal, Condition }] = AssumeRolePolicyDocument.Statement;
  const account = deployed(Principal.AWS).split(':')[4];
  const equal = Object.entries(Condition.StringEquals).every(
    ([key, value]) => caller[key] === deployed(value),
  );
  const like = Object.entries(Condition.ArnLike).every(([key, value]) =>
    new RegExp(`^${deployed(value).replaceAll('*', '.*')}$`).test(caller[key] ?? ''),
  );
  return equal && like && caller['aws:PrincipalArn']?.split(':')[4] === account;
};

const poller: Caller = {
  'aws:PrincipalArn': 'arn:aws:iam::111111111111:role/dcm-ec2-sp/poller',
  'sts:ExternalId': externalId,
  'aws:PrincipalOrgID': 'o-a1b2c3d4e5',
};

describe('the roles in an account', () => {
  it('are a reader, and a launcher where resources are created, under the path of the deployment', () => {
    const named = (alias: string) =>
      trusts(templateOf(complete, alias).template).map(({ Path, RoleName }) => `${Path}${RoleName}`);

    expect(named('prod')).toEqual(['/dcm-ec2-sp/dcm-ec2-sp-reader', '/dcm-ec2-sp/dcm-ec2-sp-launcher']);
    expect(named('audit')).toEqual(['/dcm-ec2-sp/dcm-ec2-sp-reader']);
  });

  it.each(trusts(template))('admit the functions of the home account ($RoleName)', (trust) => {
    expect(admits(trust, poller)).toBe(true);
  });

  it.each<[string, Caller]>([
    [
      'a role of the home account outside the path',
      { 'aws:PrincipalArn': 'arn:aws:iam::111111111111:role/admin' },
    ],
    [
      'the path of another deployment',
      { 'aws:PrincipalArn': 'arn:aws:iam::111111111111:role/dcm-other/poller' },
    ],
    ['the same path in another account', { 'aws:PrincipalArn': `arn:aws:iam::${id}:role/dcm-ec2-sp/poller` }],
    ['a caller without an external id', { 'sts:ExternalId': undefined }],
    ['a caller with another external id', { 'sts:ExternalId': 'x'.repeat(20) }],
    ['a caller of another organization', { 'aws:PrincipalOrgID': 'o-zzzzzzzzzz' }],
    ['a caller of no organization', { 'aws:PrincipalOrgID': undefined }],
  ])('refuse %s', (_, other) => {
    expect(trusts(template).map((trust) => admits(trust, { ...poller, ...other }))).toEqual([false, false]);
  });

  it('are made in the primary region alone, because IAM is global', () => {
    const named = template.findResources('AWS::IAM::Role', { Properties: { RoleName: Match.anyValue() } });

    expect(Object.values(named).map(({ Condition }) => Condition)).toEqual([
      'IsPrimaryRegion',
      'IsPrimaryRegion',
    ]);
    template.hasCondition('IsPrimaryRegion', {
      'Fn::Equals': [{ Ref: 'AWS::Region' }, { Ref: 'PrimaryRegion' }],
    });
    expect(template.findParameters('PrimaryRegion').PrimaryRegion?.Default).toBe('eu-west-1');
  });

  it('have names that IAM accepts for the longest name of a provider', () => {
    const name = 'p'.repeat(51);
    const { template: longest } = templateOf(
      synthesized({ ...withAccounts, provider: { name }, accounts: { audit: reportedOnly } }),
      'audit',
    );

    for (const { RoleName, Path } of trusts(longest)) {
      expect(RoleName.length).toBeLessThanOrEqual(64);
      expect(Path.length).toBeLessThanOrEqual(512);
    }
  });
});

type Statement = ReturnType<typeof allowedBy>[number];
const aws = ['ec2', 'ecs', 'eks', 'iam', 'kms', 'ssm', 'servicequotas'];
const ofAws = (statements: readonly Statement[]) =>
  statements.filter(({ Action }) => Action.some((action) => aws.includes(action.split(':')[0] ?? '')));
/** Statements one action each, with the account of whichever template they are from. */
const flat = (statements: readonly Statement[], account: string) =>
  [
    ...new Set(
      ofAws(statements).flatMap(({ Action, Resource, Condition }) =>
        Action.flatMap((action) =>
          Resource.map((resource) =>
            JSON.stringify([action, resource, Condition])
              .replaceAll(JSON.stringify({ Ref: 'AWS::AccountId' }), '"ACCOUNT"')
              .replaceAll('"ACCOUNT"', account)
              .replaceAll(/\{"Fn::Join":\["",\[(.*?)\]\]\}/g, (_, parts: string) =>
                parts.replaceAll(
                  /"([^"]*)"|\{"Ref":"AWS::Partition"\}|,/g,
                  (part, text?: string) => text ?? (part === ',' ? '' : 'aws'),
                ),
              )
              .replaceAll(`"${account}"`, account)
              .replaceAll(/["']/g, ''),
          ),
        ),
      ),
    ),
  ].sort();

describe('the launcher', () => {
  it('may do in its account what the functions may do in the home account with the same settings, and nothing else', () => {
    const { home: same } = synthesized({ ...allTypes, ...created });
    const atHome = ['ProviderApiRole', 'ClusterStepsRole'].flatMap((role) => allowedBy(same, role));

    expect(flat(allowedBy(template, 'RolesLauncher'), id)).toEqual(flat(atHome, id));
    expect(flat(atHome, id).length).toBeGreaterThan(50);
  });
});

describe('the reader', () => {
  const readers = (alone: string) =>
    Object.entries(template.findResources('AWS::IAM::Policy'))
      .filter(([logicalId, { Condition }]) => logicalId.startsWith('RolesReader') && Condition === alone)
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
      .flatMap(({ Action }) => [Action].flat());

  it('may read what the normaliser and the poller read in the home account, in the regions of its account', () => {
    const { home: same } = synthesized({ ...allTypes, ...created });
    const atHome = ['NormaliserRole', 'PollerRole'].flatMap((role) => ofAws(allowedBy(same, role)));

    expect([...new Set(readers('IsPrimaryRegion'))].sort()).toEqual(
      [...new Set(atHome.flatMap(({ Action }) => Action))].sort(),
    );
    const [describing] = allowedBy(template, 'RolesReader').filter(({ Action }) =>
      Action.includes('ec2:DescribeInstances'),
    );
    expect(describing?.Condition).toEqual({
      StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1', 'ap-south-2'] },
    });
  });

  it('may list for the inventory, and read console output, only if two parameters say so', () => {
    expect(readers('WithInventory')).toEqual(
      expect.arrayContaining(['ec2:DescribeVolumes', 'elasticloadbalancing:DescribeLoadBalancers']),
    );
    expect(readers('WithConsoleOutput')).toEqual(['ec2:GetConsoleOutput', 'logs:GetLogEvents']);
    for (const name of ['Inventory', 'ConsoleOutput'])
      expect(template.findParameters(name)[name]?.Default).toBe('false');
  });

  it('may change nothing', () => {
    const all = allowedBy(template, 'RolesReader').flatMap(({ Action }) => Action);

    expect(all.filter((action) => !/^\w+:(Describe|List|Get)\w+$/.test(action))).toEqual([]);
  });
});

describe('the template of an account', () => {
  it('is as small as a StackSet requires, has no assets, and needs no bootstrapped account', () => {
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(51_200);
    expect(body).not.toMatch(/cdk-hnb659fds|BootstrapVersion|AssetParameters/);
    template.resourceCountIs('AWS::Lambda::Function', 0);
  });

  it('says neither the external id nor the number of another account', () => {
    expect(body).not.toContain(externalId);
    expect(body).not.toContain(reportedOnly.id);
    expect(template.findParameters('ExternalId').ExternalId).toMatchObject({ NoEcho: true });
  });

  it('forwards events by rules for its account to the bus of the home region, with a dead-letter queue and an alarm', () => {
    const rules = template.findResources('AWS::Events::Rule');

    expect(Object.keys(rules)).toHaveLength(6);
    for (const { Properties } of Object.values(rules)) {
      expect(Properties.EventPattern.account).toEqual([id]);
      expect(deployed(Properties.Targets[0].Arn)).toBe(
        'arn:aws:events:eu-west-1:111111111111:event-bus/dcm-ec2-sp',
      );
      expect(Properties.Targets[0]).toMatchObject({
        RoleArn: expect.anything(),
        DeadLetterConfig: expect.anything(),
      });
    }
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'ec2-sp-instance-events-dead-letters',
    });
  });

  it('has alarms that notify a topic of each region, where the settings name one', () => {
    const actionsOf = (name: string | undefined) => {
      const accounts = { prod: { ...prod, ...(name !== undefined && { alarmTopicName: name }) } };
      const alarms = templateOf(synthesized({ ...withAccounts, accounts }), 'prod').template.findResources(
        'AWS::CloudWatch::Alarm',
      );
      return Object.values(alarms).map(({ Properties }) => (Properties.AlarmActions ?? []).map(deployed));
    };

    expect(actionsOf('on-call')).toEqual([
      [`arn:<AWS::Partition>:sns:<AWS::Region>:${id}:on-call`],
      [`arn:<AWS::Partition>:sns:<AWS::Region>:${id}:on-call`],
    ]);
    expect(actionsOf(undefined)).toEqual([[], []]);
  });

  it('has no rules where every region is listed only', () => {
    templateOf(complete, 'audit').template.resourceCountIs('AWS::Events::Rule', 0);
  });

  it('has an ECS cluster and a log group in the regions of its containers alone', () => {
    for (const type of ['AWS::ECS::Cluster', 'AWS::Logs::LogGroup'])
      expect(Object.values(template.findResources(type)).map(({ Condition }) => Condition)).toEqual([
        'Iseuwest1',
      ]);
  });

  it('is refused where CloudFormation would refuse it', () => {
    const ids = (kind: string) =>
      Array.from({ length: 600 }, (_, index) => `${kind}-${index.toString(16).padStart(17, '0')}`);
    const many = { ...network, allowedSubnetIds: ids('subnet') };
    const accounts = { prod: { ...prod, provisioning: { regions: { 'eu-west-1': many } } } };

    expect(refusalOf(() => synthesized({ ...withAccounts, accounts }))).toContain(
      'CloudFormation accepts 51200: configure fewer regions',
    );
  });
});

describe('the home region with accounts', () => {
  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(complete.app).validateScope(complete.app).violations).toEqual([]);
  });

  const admitted = (of: Template) =>
    Object.values(of.findResources('AWS::Events::EventBusPolicy'))[0]?.Properties.Statement;
  const fromAws = { 'events:source': ['aws.ec2', 'aws.tag', 'aws.health', 'aws.ecs'] };

  it('has a bus that only the organization may put events of AWS on', () => {
    expect(admitted(home)).toMatchObject({
      Action: 'events:PutEvents',
      Principal: { AWS: '*' },
      Condition: {
        'ForAllValues:StringEquals': fromAws,
        StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' },
      },
    });
  });

  it('has a bus that only the listed accounts may put events on, where there is no organization', () => {
    const { home: alone } = synthesized(withAccounts);
    const principals = JSON.stringify(admitted(alone).Principal.AWS);

    expect(principals).toContain(`:iam::${id}:root`);
    expect(principals).toContain(':iam::333333333333:root');
    expect(admitted(alone).Condition).toEqual({ 'ForAllValues:StringEquals': fromAws });
    alone.resourceCountIs('AWS::CloudFormation::StackSet', 0);
  });

  const several = (count: number) => ({
    ...leastSettings,
    externalId,
    accounts: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `a${index}x`,
        { id: String(400_000_000_000 + index), legacyRegions: ['eu-west-1'] },
      ]),
    ),
  });

  it('lists as many accounts as a policy and a pattern of EventBridge take, and refuses more', () => {
    const ids = Object.values(several(100).accounts).map((account) => account.id);
    const principals = ids.map((one) => `arn:aws-us-gov:iam::${one}:root`);

    expect(JSON.stringify(principals).length).toBeLessThan(10_240 - 1_000);
    for (const pattern of forwardedPatternsOf(ids, { provider: 'p'.repeat(51) }))
      expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(2_048);
    expect(() => parseSettings(several(100))).not.toThrow();
    expect(refusalOf(() => parseSettings(several(101)))).toContain(
      '"accounts" must have at most 100 accounts',
    );
  });

  it('takes events of the listed accounts alone from the bus, to the observations queue', () => {
    const rules = Object.values(home.findResources('AWS::Events::Rule')).filter(
      ({ Properties }) => Properties.EventBusName !== undefined,
    );

    expect(rules).toHaveLength(6);
    for (const { Properties } of rules) {
      expect(Properties.EventPattern.account).toEqual([id, '333333333333']);
      expect(Properties.Targets[0]).toMatchObject({
        Arn: { 'Fn::GetAtt': [expect.stringMatching('^ObservationsQueue'), 'Arn'] },
        DeadLetterConfig: {
          Arn: { 'Fn::GetAtt': [expect.stringMatching('^HubInstanceEventsDeadLetters'), 'Arn'] },
        },
      });
    }
    home.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: 'ec2-sp-account-events-dead-letters' });
    home.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: 'ec2-sp-account-events-lost' });
  });

  it('has the roles of the functions that assume others under the path that they trust, and no others', () => {
    const paths = Object.entries(home.findResources('AWS::IAM::Role'))
      .filter(([, { Properties }]) => Properties.Path !== undefined)
      .map(([logicalId, { Properties }]) => [logicalId.replace(/Role\w+$/, ''), Properties.Path]);

    expect(paths.sort()).toEqual(
      ['ClusterSteps', 'Normaliser', 'Poller', 'ProviderApi'].map((box) => [box, '/dcm-ec2-sp/']),
    );
  });

  it.each([
    ['Normaliser', 'reader'],
    ['Poller', 'reader'],
    ['ProviderApi', 'launcher'],
    ['ClusterSteps', 'launcher'],
    ['NatsBridge', undefined],
    ['Registration', undefined],
  ])('lets the %s assume the %s of the listed accounts, and nothing else', (box, role) => {
    const assumed = allowedBy(home, `${box}Role`)
      .filter(({ Action }) => Action.includes('sts:AssumeRole'))
      .flatMap(({ Resource }) => Resource);

    expect(assumed).toEqual(
      role === undefined
        ? []
        : [id, '333333333333'].map((one) => `arn:aws:iam::${one}:role/dcm-ec2-sp/dcm-ec2-sp-${role}`),
    );
  });

  it('deploys each account by a StackSet of its own, to that account alone', () => {
    const sets = Object.values(home.findResources('AWS::CloudFormation::StackSet')).map(
      ({ Properties }) => Properties,
    );

    expect(sets.map(({ StackSetName }) => StackSetName)).toEqual(['dcm-ec2-sp-prod', 'dcm-ec2-sp-audit']);
    expect(sets[0]).toMatchObject({
      PermissionModel: 'SERVICE_MANAGED',
      CallAs: 'DELEGATED_ADMIN',
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      TemplateBody: body,
      StackInstancesGroup: [
        {
          DeploymentTargets: {
            AccountFilterType: 'INTERSECTION',
            Accounts: [id],
            OrganizationalUnitIds: ['ou-ab12-11111111'],
          },
          Regions: ['eu-west-1', 'us-east-1'],
        },
      ],
    });
    expect(sets[1]?.StackInstancesGroup[0].Regions).toEqual(['eu-west-1']);
  });

  it('gives the functions the accounts in files', () => {
    const files = complete.filesOf('provider-api');
    const accounts = AccountsFile.parse(JSON.parse(files[accountsFile] ?? ''));
    const provisioning = ProvisioningFile.parse(JSON.parse(files['provisioning.json'] ?? ''));
    const registries = Registries.parse(
      JSON.parse(complete.filesOf('registration')['registries.json'] ?? ''),
    );

    expect(accounts).toEqual({
      externalId,
      accounts: {
        prod: { id, regions: ['eu-west-1', 'us-east-1', 'ap-south-2'] },
        audit: { id: '333333333333', regions: ['eu-west-1'] },
      },
    });
    expect(Object.keys(provisioning.accounts ?? {})).toEqual(['prod']);
    expect(provisioning.accounts?.prod?.instanceProfiles).toEqual(['web']);
    expect(registries[`${id}/eu-west-1`]).toMatchObject({
      alias: 'prod',
      serviceTypes: ['vm', 'container', 'cluster'],
    });
    for (const box of ['normaliser', 'poller', 'cluster-steps'] as const) {
      expect(complete.filesOf(box)[accountsFile]).toBe(files[accountsFile]);
      expect(environmentOf(home, `ec2-sp-${box}`).ACCOUNTS_FILE).toBe(accountsFile);
    }
    expect(complete.filesOf('nats-bridge')).toEqual({});
  });

  it('gives cluster-steps the node role of each account', () => {
    const settings = StepSettings.parse(JSON.parse(complete.filesOf('cluster-steps')['clusters.json'] ?? ''));

    expect(settings).toEqual({
      accounts: {
        [id]: { nodeRoleArn: roleHere('nodes'), adminPrincipals: [roleHere('admins')], changeAdopted: false },
      },
    });
  });

  it('keeps what grows with the accounts out of the environments: ten accounts, five regions each', () => {
    const streamingRegions = ['eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-1', 'eu-central-1'];
    const several = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, place) => {
          const settings = JSON.stringify(prod).replaceAll(id, String(222222222222 + place));
          const api = { tokenSecret: `dcm/${place}` };
          return [`account${place}`, { ...JSON.parse(settings), streamingRegions, legacyRegions: [], api }];
        }),
      );
    const synthesizedWith = (count: number) =>
      synthesized({
        ...withAccounts,
        ...{ containers, clusters, inventory },
        accounts: several(count),
      });
    const environmentsOf = ({ home: template }: ReturnType<typeof synthesized>) =>
      ['normaliser', 'poller', 'provider-api', 'cluster-steps', 'inventory', 'registration'].map((name) =>
        environmentOf(template, `ec2-sp-${name}`),
      );

    const ten = synthesizedWith(10);

    expect(environmentsOf(ten)).toEqual(environmentsOf(synthesizedWith(1)));
    const polled = z.array(PolledRegion).parse(JSON.parse(ten.filesOf('poller')['regions.json'] ?? ''));
    expect(polled.filter(({ serviceType }) => serviceType === undefined)).toHaveLength(51);
    const last = '222222222231';
    expect(ten.filesOf('normaliser')['ecs-clusters.json']).toContain(`${last}/eu-west-1`);
    expect(ten.filesOf('inventory')['targets.json']).toContain(`${last}/us-west-2`);
    expect(ten.filesOf('cluster-steps')['clusters.json']).toContain(last);
    expect(ten.filesOf('provider-api')['api-access.json']).toContain('account9');
  });

  it("publishes in an account's endpoints the token of that account, which the registration may read", () => {
    const controlPlane = { url: 'https://dcm.test', endpointCredentials: true };
    const published = synthesized({ ...withAccounts, controlPlane });
    const registries = Registries.parse(
      JSON.parse(published.filesOf('registration')['registries.json'] ?? ''),
    );

    expect(registries[`${id}/eu-west-1`]?.endpointTokenSecret).toBe('dcm/prod');
    expect(registries['eu-west-1']?.endpointTokenSecret).toBeUndefined();
    const read = JSON.stringify(allowedBy(published.home, 'RegistrationRole'));
    for (const secret of ['dcm/api', 'dcm/prod']) expect(read).toContain(`:secret:${secret}-??????`);
  });

  it('has health checks by alias, throttled apart from the other routes', () => {
    const keys = Object.values(home.findResources('AWS::ApiGatewayV2::Route')).map(
      ({ Properties }) => Properties.RouteKey,
    );

    expect(keys).toContain('GET /{account}/{region}/api/v1alpha1/vms/health');
  });
});

describe('a deployment without accounts', () => {
  it('has none of this', () => {
    const plain = synthesized(allTypes);

    expect(plain.accounts).toEqual([]);
    for (const type of ['AWS::Events::EventBus', 'AWS::CloudFormation::StackSet'])
      plain.home.resourceCountIs(type, 0);
    expect(JSON.stringify(plain.home.toJSON())).not.toMatch(
      /sts:AssumeRole"[^}]*reader|ACCOUNTS_FILE|\/dcm-ec2-sp\//,
    );
    plain.home.allResourcesProperties('AWS::IAM::Role', { Path: Match.absent() });
  });
});

it('an account whose providers nothing registers is named where the home account has an agent', () => {
  const agents = {
    'eu-west-1': { url: 'https://prod.test', topic: 'prod', caller: 'endpointCredentials' },
  };
  const settings = (account: object) => ({
    ...agentSettings,
    externalId,
    accounts: {
      prod: {
        ...{ id, legacyRegions: ['eu-west-1'], provisioning: { regions: { 'eu-west-1': {} } } },
        ...{ api: { tokenSecret: 'dcm/prod' }, ...account },
      },
      audit: reportedOnly,
    },
  });
  const warned = (account: object) =>
    synthesized(settings(account)).warnings.filter((one) => one.startsWith('Nothing registers'));

  expect(warned({})).toEqual([
    expect.stringContaining(
      'Nothing registers the providers of the account prod at DCM: accounts.prod has provisioning, and no agents.',
    ),
  ]);
  expect(warned({ agents })).toEqual([]);
});

describe('settings of accounts', () => {
  const changed = (account: object, more: object = {}) => ({
    ...withAccounts,
    accounts: { prod: { ...prod, ...account } },
    ...more,
  });

  it.each<[string, unknown, string]>([
    ...['vm', 'container', 'cluster', 'home'].map((alias): [string, unknown, string] => [
      `the reserved alias ${alias}`,
      { ...withAccounts, accounts: { [alias]: prod } },
      `Setting "accounts.${alias}" is wrong: expected another alias`,
    ]),
    [
      'an alias that every object has as a property',
      { ...withAccounts, accounts: { constructor: prod } },
      'Setting "accounts.constructor" is wrong: expected another alias',
    ],
    [
      'an alias that would be dropped',
      { ...withAccounts, accounts: JSON.parse('{ "__proto__": {} }') },
      'Setting "accounts.__proto__" is wrong: expected a letter, then 1 to 15 letters and digits, all lower case.',
    ],
    [
      'an alias with a hyphen',
      { ...withAccounts, accounts: { 'prod-1': prod } },
      'Setting "accounts.prod-1" is wrong: expected a letter',
    ],
    ['no account', { ...withAccounts, accounts: {} }, '"accounts" must have at least one account'],
    ['no external id', { ...withAccounts, externalId: undefined }, '"externalId" must be set with accounts'],
    [
      'a short external id',
      { ...withAccounts, externalId: 'short' },
      '"externalId" is wrong: expected 20 to 1,224',
    ],
    [
      'an external id without accounts',
      { ...leastSettings, externalId },
      '"externalId" must be omitted without accounts',
    ],
    [
      'an organization without accounts',
      { ...leastSettings, organization },
      '"organization" must be omitted without accounts',
    ],
    [
      'one id twice',
      { ...withAccounts, accounts: { prod, audit: { ...reportedOnly, id } } },
      '"accounts.audit.id" must differ from that of prod',
    ],
    [
      'no region',
      changed({
        streamingRegions: [],
        legacyRegions: [],
        provisioning: undefined,
        containers: undefined,
        clusters: undefined,
        api: undefined,
      }),
      '"accounts.prod.streamingRegions" must list a region',
    ],
    [
      'a region of another partition',
      changed({ legacyRegions: ['cn-north-1'] }),
      '"accounts.prod.legacyRegions" must list regions of the same AWS partition',
    ],
    [
      'VMs in a region that is not reported',
      changed({ provisioning: { regions: { 'eu-central-1': {} } } }),
      '"accounts.prod.provisioning.regions.eu-central-1" must be listed in streamingRegions or legacyRegions of the account',
    ],
    [
      'containers of a legacy region without an ECS cluster',
      changed({
        containers: { ...created.containers, regions: { 'ap-south-2': containers.regions['eu-west-1'] } },
      }),
      '"accounts.prod.containers.regions.ap-south-2.ecsCluster" must be set',
    ],
    [
      'creation without credentials',
      changed({ api: undefined }),
      '"accounts.prod.api" must be set with provisioning',
    ],
    [
      'the token of the home account',
      changed({ api: { tokenSecret: 'dcm/api' } }),
      '"accounts.prod.api.tokenSecret" must differ from api.tokenSecret',
    ],
    [
      'a role of another account',
      changed({ containers: { ...created.containers, executionRoleArn: containers.executionRoleArn } }),
      '"accounts.prod.containers.executionRoleArn" must be of the account 222222222222',
    ],
    [
      'no token where the control plane gets one in the endpoint',
      changed(
        { api: { jwt: { issuer: 'i', audience: 'a', jwksUrl: 'https://issuer.test/keys' } } },
        { controlPlane: { url: 'https://dcm.test', endpointCredentials: true } },
      ),
      '"accounts.prod.api.tokenSecret" must be set with controlPlane.endpointCredentials',
    ],
    [
      'agents and a control plane',
      changed({
        agents: {
          'eu-west-1': {
            url: 'https://agent.test',
            topic: 'x',
            caller: 'proxy',
            publicUrl: 'https://proxy.test',
          },
        },
      }),
      '"accounts.prod.agents" must be omitted with controlPlane',
    ],
    [
      'an agent of a region without resources',
      changed(
        {
          agents: {
            'us-east-1': {
              url: 'https://agent.test',
              topic: 'x',
              caller: 'proxy',
              publicUrl: 'https://proxy.test',
            },
          },
        },
        { controlPlane: undefined },
      ),
      '"accounts.prod.agents" must have eu-west-1',
    ],
    [
      'other words for the end of a spot instance',
      changed({ provisioning: { ...created.provisioning, spotEndsAs: 'DELETED' } }),
      '"accounts.prod.provisioning.spotEndsAs" must be "FAILED", like provisioning.spotEndsAs',
    ],
    [
      'a deployment to an account that is none',
      {
        ...withAccounts,
        organization: { ...organization, deployTo: { ...organization.deployTo, accounts: ['444444444444'] } },
      },
      '"organization.deployTo.accounts" must list only ids of accounts, and 444444444444 is none',
    ],
    [
      'an account that creates beside a home account without an API',
      { ...leastSettings, externalId, accounts: { prod } },
      '"api" must be set with accounts.prod.provisioning',
    ],
  ])('refuse %s', (_, settings, message) => {
    expect(refusalOf(() => parseSettings(settings))).toContain(message);
  });

  it('refuse the home account, where it is known', () => {
    expect(refusalOf(() => parseSettings(withAccounts, id))).toContain(
      '"accounts.prod.id" must not be the home account',
    );
    expect(() => parseSettings(withAccounts, '111111111111')).not.toThrow();
  });
});
