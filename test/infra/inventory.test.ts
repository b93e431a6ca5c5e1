import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { Env as InventoryEnv } from '../../functions/inventory/env.ts';
import { Env as InventoryApiEnv, InventoryFile, inventoryFile } from '../../functions/inventory-api/env.ts';
import { Env as PollerEnv } from '../../functions/poller/env.ts';
import { serviceProvider } from '../../infra/service-provider.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { refusalOf } from './refused.ts';
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
const { app, home, filesOf } = synthesized(complete);

const reported = { StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1', 'me-south-1'] } };
const table = (actions: string[]) => [
  actions,
  expect.stringMatching(/^{"Fn::GetAtt":\["InventoryTable\w+","Arn"\]}$/),
];

/** The environment of a function, without the accounts, and with the content of the other files beside its code. */
const variablesOf = (functionName: string) => {
  const { ACCOUNTS_FILE: _, ...variables } = environmentOf(home, functionName);
  const files = filesOf(functionName.replace('ec2-sp-', ''));
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, files[String(value)] ?? value]),
  );
};

/** What a function may do with the inventory: actions, and the resource as text. */
const permissions = (role: string) =>
  allowedBy(home, role)
    .filter(({ Action }) => !Action.some((action) => /^(logs|sts):/.test(action)))
    .map(({ Action, Resource }) => [Action, Resource.map(textOf).join()]);

describe('an inventory', () => {
  it('changes nothing in a deployment without it', () => {
    const { home: without } = synthesized(allTypes);

    expect(Object.keys(without.toJSON().Resources).join()).not.toMatch(/inventory|feed|StatusBus/i);
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
            ...['ec2:DescribeImages', 'ec2:DescribeNetworkInterfaces'],
            ...['elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeTags'],
            'ec2:DescribeAddresses',
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

    expect(names.filter((name) => /inventory|collections|change-feed|status-bus/.test(name)).sort()).toEqual(
      [
        ...['inventory-errors', 'inventory-throttles', 'inventory-stuck', 'inventory-dead-letters'],
        ...['inventory-not-written', 'collections-not-listed'],
        ...['change-feed-errors', 'change-feed-throttles', 'change-feed-stuck', 'change-feed-dead-letters'],
        ...['status-bus-dead-letters', 'status-bus-lost', 'status-bus-refuses'],
        ...['inventory-api-errors', 'inventory-api-throttles', 'inventory-api-failures'],
      ].sort(),
    );
  });

  it('leaves room for the names of its functions', () => {
    const named = (name: string) => ({ ...leastSettings, provider: { name }, inventory });

    expect(() => parseSettings(named('p'.repeat(50)))).not.toThrow();
    expect(refusalOf(() => parseSettings(named('p'.repeat(51))))).toMatch(
      /at most 50 characters with an inventory/,
    );
  });
});

describe('the API of the inventory', () => {
  const fileOf = (files: ReturnType<typeof filesOf>) =>
    InventoryFile.parse(JSON.parse(files[inventoryFile] ?? ''));
  const mayRead = table(['dynamodb:GetItem', 'dynamodb:Query']);
  const mayReadSecret = [
    ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    expect.stringContaining(':secret:dcm/inventory-??????'),
  ];

  it('has the environment and the file that its function requires', () => {
    const file = fileOf(filesOf('inventory-api'));
    const folder = mkdtempSync(join(tmpdir(), 'inventory-'));
    const path = join(folder, inventoryFile);
    writeFileSync(path, filesOf('inventory-api')[inventoryFile] ?? '');
    const environment = { ...variablesOf('ec2-sp-inventory-api'), INVENTORY_FILE: path };

    expect(InventoryApiEnv.parse(environment)).toMatchObject({ AUTH_OPTIONAL: '0', PROVIDER_NAME: 'ec2-sp' });
    rmSync(folder, { recursive: true });
    expect(file).toMatchObject({
      homeAlias: 'home',
      homeRegions: ['eu-west-1', 'us-east-1', 'me-south-1'],
      tokens: inventory.tokens,
      consoleOutput: false,
      containerLogGroups: {},
      controllerLogs: {
        normaliser: expect.stringMatching(
          /^https:\/\/eu-west-1\.console\.aws\.amazon\.com\/.*ec2-sp-normaliser$/,
        ),
      },
    });
    expect(file.collections).toContain('load-balancers');
    expect(file.listedIn).toEqual({ containers: ['eu-west-1'], clusters: ['eu-west-1'] });
    expect(Object.keys(filesOf('inventory-api'))).toEqual([inventoryFile, 'accounts.json']);
  });

  it('may read the table and its secrets, and describe nothing', () => {
    expect(permissions('InventoryApiRole')).toEqual([mayRead, mayReadSecret]);
  });

  it('may read console output and logs of containers only where the settings say so', () => {
    const { home: withConsole, filesOf: files } = synthesized({
      ...complete,
      inventory: { ...inventory, consoleOutput: true },
    });
    const allowed = allowedBy(withConsole, 'InventoryApiRole').filter(({ Action }) =>
      Action.some((action) => /^(ec2|logs:Get)/.test(action)),
    );

    expect(allowed.map(({ Action }) => Action)).toEqual([['ec2:GetConsoleOutput'], ['logs:GetLogEvents']]);
    expect(allowed.flatMap(({ Resource }) => Resource.map(textOf))).toEqual([
      'arn:aws:ec2:eu-west-1:<AccountId>:instance/*',
      'arn:aws:ec2:us-east-1:<AccountId>:instance/*',
      'arn:aws:ec2:me-south-1:<AccountId>:instance/*',
      'arn:aws:logs:eu-west-1:<AccountId>:log-group:/dcm/ec2-sp/containers:log-stream:*',
    ]);
    expect(fileOf(files('inventory-api'))).toMatchObject({
      consoleOutput: true,
      containerLogGroups: { 'eu-west-1': '/dcm/ec2-sp/containers' },
    });
  });

  it('is an HTTP API of its own, throttled, with an access log and its address as output', () => {
    home.hasResourceProperties('AWS::ApiGatewayV2::Api', { Name: 'ec2-sp-inventory-api' });
    home.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 },
      AccessLogSettings: Match.anyValue(),
    });
    home.hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: '/aws/vendedlogs/apis/ec2-sp-inventory-api',
    });
    home.hasOutput('InventoryUrl', {});
    home.hasOutput('StatusBusName', {});
  });

  it('needs no credentials in development alone', () => {
    const { home: open } = synthesized({
      ...leastSettings,
      inventory: { authOptional: true, development: true },
    });

    expect(environmentOf(open, 'ec2-sp-inventory-api').AUTH_OPTIONAL).toBe('1');
  });
});

it.each(['InventoryFunction', 'InventoryApi'])(
  'the role of %s may assume the reader of other accounts, from the path that they trust',
  (box) => {
    const paths = Object.entries(home.findResources('AWS::IAM::Role'))
      .filter(([logicalId]) => logicalId.startsWith(`${box}Role`))
      .map(([, { Properties }]) => Properties.Path);
    const assumed = allowedBy(home, `${box}Role`)
      .filter(({ Action }) => Action.includes('sts:AssumeRole'))
      .flatMap(({ Resource }) => Resource);

    expect(paths).toEqual(['/dcm-ec2-sp/']);
    expect(assumed).toEqual(['arn:aws:iam::222222222222:role/dcm-ec2-sp/dcm-ec2-sp-reader']);
  },
);

describe('the template of another account', () => {
  const parametersOf = (settings: object) => {
    const [template] = serviceProvider(new App(), parseSettings(settings), () =>
      Code.fromInline('//'),
    ).accounts;
    return JSON.parse(template?.body ?? '{}').Parameters;
  };

  it('lets the reader list the inventory by default where there is one', () => {
    const { inventory: _, ...without } = complete;

    expect(parametersOf(complete)).toMatchObject({
      Inventory: { Default: 'true' },
      ConsoleOutput: { Default: 'false' },
    });
    expect(parametersOf(without)).toMatchObject({ Inventory: { Default: 'false' } });
  });
});
