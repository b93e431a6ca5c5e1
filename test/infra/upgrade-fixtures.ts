import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import * as z from 'zod';
import { stacksOf } from '../../infra/service-provider.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';

/**
 * What an update must not change, by stack name and then by path, such as `Resources.FleetTable4A611C9B.KeySchema`. A path with
 * null must stay empty, because a value would replace the resource.
 */
export type Deployed = Record<string, Record<string, unknown>>;

const example = new URL('../../infra/settings.example.json', import.meta.url);
const Example = z.looseObject({ agent: z.unknown() });

/** Settings that together create every kind of stack and every function, by the name of their fixture. */
export const upgradedSettings = (): Record<string, object> => {
  const { agent, ...common } = Example.parse(JSON.parse(readFileSync(example, 'utf8')));
  const regions = { ...common, legacyRegions: ['eu-north-1'] };
  return {
    'environment-agent': { ...regions, agent },
    'control-plane': {
      ...regions,
      controlPlane: { url: 'https://dcm.example.com', endpointCredentials: true },
    },
  };
};

/**
 * The properties of each resource type that must not change: those whose change replaces the resource, its physical name, and what
 * other programs refer to.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ "Update requires", on the page of each type
 */
const fixedProperties: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGatewayV2::Api': ['Name', 'ProtocolType'],
  'AWS::ApiGatewayV2::Integration': ['ApiId'],
  'AWS::ApiGatewayV2::Route': ['ApiId', 'RouteKey'],
  'AWS::ApiGatewayV2::Stage': ['ApiId', 'StageName'],
  'AWS::CloudWatch::Alarm': ['AlarmName'],
  'AWS::CloudWatch::Dashboard': ['DashboardName'],
  'AWS::DynamoDB::Table': ['TableName', 'KeySchema', 'LocalSecondaryIndexes', 'TimeToLiveSpecification'],
  'AWS::EC2::SecurityGroup': ['GroupName', 'GroupDescription', 'VpcId'],
  'AWS::Events::Rule': ['Name', 'EventBusName'],
  'AWS::IAM::Policy': [],
  'AWS::IAM::Role': ['RoleName', 'Path'],
  'AWS::Lambda::EventSourceMapping': ['EventSourceArn'],
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Lambda::Permission': ['FunctionName', 'Principal'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::SNS::Subscription': ['Endpoint', 'Protocol', 'TopicArn'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
  'AWS::SNS::TopicPolicy': [],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::SQS::QueuePolicy': [],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'StateMachineType'],
  'Custom::DcmProviderRows': ['ServiceToken'],
};

const Properties = z.looseObject({
  AttributeDefinitions: z
    .array(z.object({ AttributeName: z.string(), AttributeType: z.string() }))
    .default([]),
  GlobalSecondaryIndexes: z.array(z.looseObject({ IndexName: z.string() })).default([]),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }).default({ Variables: {} }),
});
const Resource = z.object({
  Type: z.string(),
  DeletionPolicy: z.string().optional(),
  Properties: Properties.prefault({}),
});
const WholeTemplate = z.object({
  Resources: z.record(z.string(), Resource),
  Outputs: z.record(z.string(), z.object({ Export: z.unknown().optional() })).default({}),
});

/** What an update of a deployment with these settings must not change. */
export const deployedBy = (settings: object): Deployed => {
  const app = new App();
  stacksOf(app, parseSettings(settings), () => Code.fromInline('//'));
  const stacks = app.node.children.filter((child) => Stack.isStack(child));
  const deployed = Object.fromEntries(stacks.map((stack) => [stack.stackName, fixedIn(stack)]));
  rmSync(app.outdir, { recursive: true, force: true });
  return deployed;
};

const fixedIn = (stack: Stack): Record<string, unknown> => {
  const { Resources, Outputs } = WholeTemplate.parse(Template.fromStack(stack).toJSON());
  const places: Record<string, unknown> = { stack: stack.node.id, region: stack.region };
  for (const [logicalId, resource] of Object.entries(Resources))
    for (const [place, value] of Object.entries(fixedOf(resource)))
      places[`Resources.${logicalId}.${place}`] = value;
  for (const [name, { Export }] of Object.entries(Outputs))
    places[`Outputs.${name}`] = { Export: Export ?? null };
  return places;
};

const fixedOf = ({ Type, DeletionPolicy, Properties }: z.infer<typeof Resource>): Record<string, unknown> => {
  const fixed = fixedProperties[Type];
  if (fixed === undefined) throw new Error(`Name the properties of ${Type} that an update must not change.`);
  const places: Record<string, unknown> = { Type };
  if (DeletionPolicy === 'Retain') places.DeletionPolicy = DeletionPolicy;
  for (const property of fixed) places[property] = Properties[property] ?? null;
  for (const { AttributeName, AttributeType } of Properties.AttributeDefinitions)
    places[`Attribute.${AttributeName}`] = AttributeType;
  for (const index of Properties.GlobalSecondaryIndexes) places[`Index.${index.IndexName}`] = index;
  for (const name of Object.keys(Properties.Environment.Variables)) places[`Environment.${name}`] = true;
  return places;
};

/** The paths of the deployed stacks that an update would remove or change, one line each. New paths are not included. */
export const changedByUpdate = (before: Deployed, after: Deployed): string[] =>
  Object.entries(before).flatMap(([stack, places]) =>
    Object.entries(places)
      .filter(([place, value]) => !isDeepStrictEqual(after[stack]?.[place], value))
      .map(([place, value]) => {
        const found = after[stack]?.[place];
        return `${stack}: ${place} was ${JSON.stringify(value)}, is ${found === undefined ? 'gone' : JSON.stringify(found)}`;
      }),
  );

export const fixtureOf = (name: string): URL =>
  new URL(`../fixtures/templates/${name}.json`, import.meta.url);

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [name, settings] of Object.entries(upgradedSettings()))
    writeFileSync(fixtureOf(name), `${JSON.stringify(deployedBy(settings), null, 1)}\n`);
