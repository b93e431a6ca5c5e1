import { Stack, Token } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import * as z from 'zod';
import { SettingsError } from '../shared/core/errors.ts';

/** @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const limitBytes = 4_096;

/** At least as long as every name, ARN or URL that is known only at deployment: the longest, a table's name, has up to 255 characters. */
const longestUnknown = 'x'.repeat(255);

/** @throws SettingsError naming a function whose environment Lambda would refuse. */
export const checkEnvironments = (scope: Construct): void => {
  for (const construct of scope.node.findAll())
    if (construct instanceof CfnFunction) checkEnvironment(construct);
};

const Environment = z.object({ variables: z.record(z.string(), z.unknown()) }).optional();

const checkEnvironment = (made: CfnFunction): void => {
  const { variables = {} } = Environment.parse(Stack.of(made).resolve(made.environment)) ?? {};
  const longest = Object.entries(variables).map(([name, value]) => [name, longestOf(value)] as const);
  const bytes = bytesOf(Object.fromEntries(longest));
  if (bytes <= limitBytes) return;
  const [largest] = longest.toSorted(([, one], [, other]) => bytesOf(other) - bytesOf(one));
  const name = Token.isUnresolved(made.functionName) ? made.node.path : made.functionName;
  throw new SettingsError(
    `The settings make an environment of ${bytes} bytes for the function ${name}, and Lambda accepts ${limitBytes}: shorten what goes into ${largest?.[0]}, its largest variable.`,
  );
};

/** Lambda measures the whole environment as JSON, in which quotes within a value take two bytes. */
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const Joined = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });

/** A value as at deployment: every part that is not known yet has its maximum length. */
const longestOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const { data } = Joined.safeParse(value);
  if (data === undefined) return longestUnknown;
  const [separator, parts] = data['Fn::Join'];
  return parts.map(longestOf).join(separator);
};
