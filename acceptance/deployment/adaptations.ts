import { type CfnResource, type IAspect, Stack } from 'aws-cdk-lib';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnSecurityGroupIngress } from 'aws-cdk-lib/aws-ec2';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnTopicPolicy } from 'aws-cdk-lib/aws-sns';
import { CfnQueuePolicy } from 'aws-cdk-lib/aws-sqs';
import * as z from 'zod';

const Texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
const Statement = z.looseObject({
  Effect: z.enum(['Allow', 'Deny']),
  Action: Texts,
  Resource: z.unknown(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
type Statement = z.infer<typeof Statement>;
const Policy = z.looseObject({ Statement: z.array(Statement) });

/**
 * Takes out of the templates what ministack does not know, and nothing else; acceptance/deviations.ts gives the reason for each. Every
 * function also gets the variables, such as where the emulated EC2 answers.
 */
export const adaptations = (variables: Readonly<Record<string, string>>): IAspect => ({
  visit(node) {
    if (node instanceof CfnAlarm) withoutMetricMath(node);
    if (node instanceof CfnFunction) addVariables(node, variables);
    if (node instanceof CfnSecurityGroupIngress) remove(node);
    if (node instanceof CfnQueuePolicy || node instanceof CfnTopicPolicy)
      changeStatements(node, (all) => all.filter(({ Effect }) => Effect === 'Allow'));
    if (node instanceof CfnPolicy) changeStatements(node, (all) => all.map(asMinistackKnowsIt));
  },
});

const remove = ({ node }: CfnResource) => node.scope?.node.tryRemoveChild(node.id);

const addVariables = (made: CfnFunction, variables: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(variables))
    made.addPropertyOverride(`Environment.Variables.${name}`, value);
};

const withoutMetricMath = (alarm: CfnAlarm): void => {
  if (alarm.metrics === undefined) return;
  alarm.metrics = undefined;
  alarm.namespace = 'MetricMath';
  alarm.metricName = 'MetricMath';
  alarm.period = 60;
  alarm.statistic = 'Sum';
};

const changeStatements = (
  policy: CfnResource & { readonly policyDocument: unknown },
  change: (statements: Statement[]) => Statement[],
): void => {
  const { Statement: statements } = Policy.parse(Stack.of(policy).resolve(policy.policyDocument));
  const changed = change(statements);
  if (changed.length > 0) policy.addPropertyOverride('PolicyDocument.Statement', changed);
  else remove(policy);
};

/** On AWS the permission for one message covers the batch of them. */
const withBatches = ['sqs:SendMessage', 'sqs:ChangeMessageVisibility', 'sqs:DeleteMessage'];

const asMinistackKnowsIt = (statement: Statement): Statement => {
  const batches = statement.Action.filter((action) => withBatches.includes(action)).map(
    (action) => `${action}Batch`,
  );
  const { Condition, ...unconditional } = statement;
  const known = Condition === undefined || !isOfEc2(statement) ? statement : unconditional;
  return {
    ...known,
    Action: [...statement.Action, ...batches],
    Resource: withAccount(isOfEc2(statement) ? '*' : statement.Resource),
  };
};

/** Launching and changing instances: allowed where tags, types and resources are right, of which ministack tells IAM nothing. */
const isOfEc2 = ({ Effect, Action }: Statement): boolean =>
  Effect === 'Allow' &&
  Action.some((action) => /^ec2:(Run|Start|Stop|Reboot|Terminate|CreateTags)/.test(action));

/** Public parameters belong to no account on AWS. */
const withAccount = (resource: unknown): unknown =>
  z.unknown().parse(JSON.parse(JSON.stringify(resource).replaceAll('::parameter/', ':*:parameter/')));
