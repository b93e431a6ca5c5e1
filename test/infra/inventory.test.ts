import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { Env as InventoryEnv } from '../../functions/inventory/env.ts';
import { Env as PollerEnv } from '../../functions/poller/env.ts';
import {
  alarmsOf,
  allowedBy,
  allTypes,
  environmentOf,
  inventory,
  leastSettings,
  synthesized,
  textOf,
} from './synthesized.ts';

const regions = { streamingRegions: ['us-east-1'], legacyRegions: ['me-south-1'] };
const accounts = {
  externalId: '0123456789abcdef0123',
  accounts: { prod: { id: '222222222222', streamingRegions: ['eu-west-1'] } },
};
const complete = { ...allTypes, ...regions, ...accounts, inventory };
const { app, home } = synthesized(complete);

const reported = { StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1', 'me-south-1'] } };
const table = (actions: string[]) => [
  actions,
  expect.stringMatching(/^{"Fn::GetAtt":\["InventoryTable\w+","Arn"\]}$/),
];

/** The environment of a function, but for the file of accounts, which is beside its code. */
const variablesOf = (functionName: string) => {
  const { ACCOUNTS_FILE: _, ...variables } = environmentOf(home, functionName);
  return variables;
};

/** What a function may do with the inventory: actions, and the resource as text. */
const permissions = (role: string) =>
  allowedBy(home, role)
    .filter(({ Action }) => !Action.some((action) => /^(logs|sts):/.test(action)))
    .map(({ Action, Resource }) => [Action, Resource.map(textOf).join()]);

describe('an inventory', () => {
  it('changes nothing in a deployment without it', () => {
    const { home: without } = synthesized(allTypes);
    const text = JSON.stringify(without.toJSON());

    expect(text).not.toMatch(/inventory|change-feed|status-bus/i);
    without.resourceCountIs('AWS::DynamoDB::Table', 1);
  });

  it('adds resources to a deployment, and removes, renames and replaces none', () => {
    const { inventory: _, ...without } = complete;
    const before = synthesized(without).home.toJSON();
    const after = home.toJSON();

    for (const [logicalId, { Type }] of Object.entries<{ Type: string }>(before.Resources))
      expect(after.Resources[logicalId]).toMatchObject({ Type });
  });

  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('gets every event of the rules by a queue of its own, also those of other accounts', () => {
    const rules = Object.values(
      home.findResources('AWS::Events::Rule', { Properties: { EventPattern: { source: Match.anyValue() } } }),
    );
    const queues = rules
      .map(({ Properties }) => Properties)
      .filter(({ EventPattern }) => /aws\.(ec2|ecs|tag)/.test(JSON.stringify(EventPattern)))
      .map(({ Targets }) => Targets.map(({ Arn }: { Arn: unknown }) => textOf(Arn)));

    expect(queues.length).toBeGreaterThan(4);
    for (const targets of queues)
      expect(targets).toEqual([
        expect.stringContaining('ObservationsQueue'),
        expect.stringContaining('InventoryEventsQueue'),
      ]);
  });

  it('is filled by the poller, which lists further collections', () => {
    const environment = PollerEnv.parse(variablesOf('ec2-sp-poller'));

    expect(environment).toMatchObject({
      INVENTORY_SECONDS: 3_600,
      INVENTORY_COLLECTIONS: expect.arrayContaining(['instances', 'volumes', 'containers', 'clusters']),
    });
    expect(permissions('PollerRole')).toEqual(
      expect.arrayContaining([
        table(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query']),
        [['sqs:SendMessage'], expect.stringContaining('InventoryEventsQueue')],
        [
          [
            ...[
              'ec2:DescribeVolumes',
              'ec2:DescribeVpcs',
              'ec2:DescribeSubnets',
              'ec2:DescribeSecurityGroups',
            ],
            ...['ec2:DescribeImages', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeAddresses'],
          ],
          '*',
        ],
      ]),
    );
  });

  it('lists nothing that is switched off', () => {
    const { home: without } = synthesized({
      ...leastSettings,
      inventory: { ...inventory, without: ['images', 'addresses'] },
    });
    const actions = allowedBy(without, 'PollerRole').flatMap(({ Action }) => Action);

    expect(actions).toContain('ec2:DescribeVolumes');
    expect(actions).not.toContain('ec2:DescribeImages');
    expect(actions).not.toContain('ec2:DescribeAddresses');
  });

  it('is kept by a function that may change its table, describe instances, and no more', () => {
    expect(InventoryEnv.parse(variablesOf('ec2-sp-inventory'))).toMatchObject({
      ACCOUNT_ID: '123456789012',
      TARGETS: [
        { region: 'eu-west-1' },
        { region: 'us-east-1' },
        { region: 'me-south-1' },
        { account: '222222222222', region: 'eu-west-1' },
      ],
    });
    expect(permissions('InventoryFunctionRole')).toEqual([
      [
        [
          'sqs:ReceiveMessage',
          'sqs:ChangeMessageVisibility',
          'sqs:GetQueueUrl',
          'sqs:DeleteMessage',
          'sqs:GetQueueAttributes',
        ],
        expect.stringContaining('InventoryEventsQueue'),
      ],
      [
        ['sqs:SendMessage', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
        expect.stringContaining('InventoryEventsQueue'),
      ],
      [
        ['sqs:SendMessage', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
        expect.stringContaining('InventoryEventsDeadLetters'),
      ],
      table(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query']),
      table(['dynamodb:BatchWriteItem']),
      [['ec2:DescribeInstances'], '*'],
    ]);
    expect(
      allowedBy(home, 'InventoryFunctionRole').filter(({ Resource }) => Resource.includes('*')),
    ).toMatchObject([{ Action: ['ec2:DescribeInstances'], Condition: reported }]);
  });

  it('has alarms for all its parts', () => {
    const names = alarmsOf(home).map(({ AlarmName }) => AlarmName.replace('ec2-sp-', ''));

    expect(names.filter((name) => /inventory|collections|change-feed|status-bus/.test(name))).toEqual([
      ...['inventory-errors', 'inventory-throttles', 'inventory-stuck', 'inventory-dead-letters'],
      ...['inventory-not-written', 'collections-not-listed'],
      ...['change-feed-errors', 'change-feed-throttles', 'change-feed-stuck', 'change-feed-dead-letters'],
      'status-bus-dead-letters',
    ]);
  });
});
