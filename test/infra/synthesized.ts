import { rmSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import * as z from 'zod';
import type { CodeOf, Files } from '../../infra/constructs/function-defaults.ts';
import { serviceProvider } from '../../infra/service-provider.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { eventPatternsOf } from '../../shared/service-types/events.ts';

/** The required settings. */
export const leastSettings = { homeRegion: 'eu-west-1', nats: { urls: ['nats://nats.test:4222'] } };

/** A VPC as in the settings. */
export const vpc = {
  vpcId: 'vpc-0123456789abcdef0',
  subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  availabilityZones: ['eu-west-1a', 'eu-west-1b'],
};

/** The required settings to create VMs and to register at a control plane. */
export const provisioningSettings = {
  ...leastSettings,
  provisioning: { regions: { 'eu-west-1': {} } },
  api: { tokenSecret: 'dcm/api' },
  controlPlane: { url: 'http://dcm.test:8080' },
};

/** The required settings to register at an environment agent. */
export const agentSettings = {
  ...leastSettings,
  provisioning: { regions: { 'eu-west-1': {} } },
  api: { tokenSecret: 'dcm/api' },
  agent: { url: 'https://agent.test', topic: 'aws-eu-west-1', caller: 'endpointCredentials' },
};

/** The required settings to create containers. */
export const containers = {
  regions: { 'eu-west-1': { subnets: ['subnet-0123456789abcdef0'] } },
  executionRoleArn: 'arn:aws:iam::123456789012:role/pull-images',
};

/** The required settings to create clusters. */
export const clusters = {
  regions: {
    'eu-west-1': {
      subnets: [
        { id: 'subnet-0123456789abcdef0', zone: 'eu-west-1a' },
        { id: 'subnet-0123456789abcdef1', zone: 'eu-west-1b' },
      ],
    },
  },
  clusterRoleArn: 'arn:aws:iam::123456789012:role/control-plane',
  nodeRoleArn: 'arn:aws:iam::123456789012:role/nodes',
};

/** The required settings to create VMs, containers and clusters. */
export const allTypes = { ...provisioningSettings, containers, clusters };

/** The required settings of the inventory. */
export const inventory = {
  tokens: [{ secret: 'dcm/inventory', scopes: ['inventory:read', 'changes:read'] }],
};

/** The service provider as CDK synthesizes it, with functions that do nothing. */
export const synthesized = (settings: object = leastSettings) => {
  const app = new App();
  const filesOf = new Map<string, Files>();
  const codeOf: CodeOf = (box, files = {}) => {
    filesOf.set(box, files);
    return Code.fromInline('//');
  };
  const { home, streaming, accounts } = serviceProvider(app, parseSettings(settings), codeOf);
  const templates = {
    app,
    /** The files beside a function's code. */
    filesOf: (box: string): Files => filesOf.get(box) ?? {},
    home: Template.fromStack(home),
    streaming: streaming.map((stack) => Template.fromStack(stack)),
    /** The templates for other accounts. */
    accounts,
    warnings: Annotations.fromStack(home)
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => String(entry.data)),
    infos: Annotations.fromStack(home)
      .findInfo('*', Match.anyValue())
      .map(({ entry }) => String(entry.data)),
  };
  rmSync(app.outdir, { recursive: true, force: true });
  return templates;
};

const oneOrMore = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(schema));
const Statement = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMore(z.string()),
  Resource: oneOrMore(z.unknown()),
  Condition: z.unknown().optional(),
});
const Policy = z.object({
  Properties: z.object({
    Roles: z.array(z.object({ Ref: z.string() })),
    PolicyDocument: z.object({ Statement: z.array(Statement) }),
  }),
});

/** The policy statements of a template's roles; of all roles, or of those whose logical id has this prefix. */
export const allowedBy = (template: Template, role = '') =>
  Object.values(template.findResources('AWS::IAM::Policy'))
    .map((policy) => Policy.parse(policy).Properties)
    .filter(({ Roles }) => Roles.some(({ Ref }) => Ref.startsWith(role)))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Effect }) => Effect === 'Allow');

const Join = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });
const Reference = z.object({ Ref: z.string() });

/** A value of a template as text; a value that only AWS knows is its name in angle brackets. */
export const textOf = (value: unknown): string => {
  const [separator, parts] = Join.safeParse(value).data?.['Fn::Join'] ?? [];
  if (parts !== undefined) return parts.map(textOf).join(separator);
  const reference = Reference.safeParse(value).data?.Ref;
  if (reference !== undefined) return `<${reference.replace('AWS::', '')}>`;
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const ARole = z.object({
  Properties: z.object({
    AssumeRolePolicyDocument: z.object({
      Statement: z.array(
        z.object({ Principal: z.object({ Service: z.string() }), Condition: z.unknown().optional() }),
      ),
    }),
  }),
});

/** Who may assume the roles of a template, and on which condition. */
export const trustsOf = (template: Template) =>
  Object.values(template.findResources('AWS::IAM::Role')).flatMap((role) =>
    ARole.parse(role).Properties.AssumeRolePolicyDocument.Statement.map(({ Principal, Condition }) => ({
      service: Principal.Service,
      condition: Condition,
    })),
  );

const AFunction = z.object({
  Properties: z.object({ Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }) }),
});

/** A function's environment; values that are known only at deployment are replaced by an unused URL. */
export const environmentOf = (template: Template, functionName: string) => {
  const [found] = Object.values(
    template.findResources('AWS::Lambda::Function', { Properties: { FunctionName: functionName } }),
  );
  const variables = AFunction.parse(found).Properties.Environment.Variables;
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : knownToAws(value),
    ]),
  );
};

const knownToAws = (value: unknown): string =>
  JSON.stringify(value) === '{"Ref":"AWS::AccountId"}' ? '123456789012' : 'https://known-to-aws.test';

/** The event patterns that the rules of a template must have, limited to the account. */
export const deployedPatterns = eventPatternsOf('').map((pattern) => ({
  ...pattern,
  account: [{ Ref: 'AWS::AccountId' }],
}));

const Rule = z.object({
  Properties: z.object({
    EventPattern: z.unknown().optional(),
    ScheduleExpression: z.string().optional(),
  }),
});

/** The event patterns of a template's rules to the queue, which have no schedule. */
export const patternsOf = (template: Template) =>
  Object.values(template.findResources('AWS::Events::Rule'))
    .map((rule) => Rule.parse(rule).Properties)
    .filter(({ ScheduleExpression }) => ScheduleExpression === undefined)
    .map(({ EventPattern }) => EventPattern);

const AnAlarm = z.object({ Properties: z.object({ AlarmName: z.string(), AlarmDescription: z.string() }) });

/** Names and descriptions of the alarms of a template. */
export const alarmsOf = (template: Template) =>
  Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
    (alarm) => AnAlarm.parse(alarm).Properties,
  );
