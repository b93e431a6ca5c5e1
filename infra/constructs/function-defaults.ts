import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type Code,
  type FunctionProps,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { memberRoleArn, rolePathOf } from '../../shared/adapters/aws/accounts.ts';
import { partitionOf } from '../../shared/adapters/aws/regions.ts';
import type { FunctionName } from '../function-names.ts';
import { commonEnvironment, type FunctionSpec, functionNameOf } from '../functions.ts';

/** The bundle of a function, with these files beside it. */
export type CodeOf = (box: FunctionName, files?: Files) => Code;

/** The content of files by their names. */
export type Files = Readonly<Record<string, string>>;

/** What all functions of a deployment share. */
export type FunctionDefaults = {
  /** The provider's name at DCM; a function's name is `<provider>-<function>`. */
  readonly provider: string;
  readonly logRetention: RetentionDays;
  readonly codeOf: CodeOf;
  /** Ids of the accounts besides the home account. */
  readonly accounts: readonly string[];
};

type Props = Pick<FunctionProps, 'vpc' | 'vpcSubnets' | 'securityGroups'> & {
  readonly defaults: FunctionDefaults;
  readonly spec: FunctionSpec;
  /** Variables that AWS's SDKs read, besides the function's own. */
  readonly sdkEnvironment?: Readonly<Record<string, string>>;
};

/**
 * Creates a function with our defaults: arm64, JSON logs in its own log group, and a role that may only write them; the caller grants other
 * permissions. There is no X-Ray tracing: CloudEvents have a trace of their own (shared/core/trace.ts), which a log line joins with the other ids.
 */
export const functionWithDefaults = (
  scope: Construct,
  { defaults, spec, sdkEnvironment, ...network }: Props,
): LambdaFunction => {
  const { provider, logRetention, codeOf, accounts } = defaults;
  const { name, description, timeoutSeconds, memoryMb, environment, files, memberRole } = spec;
  const functionName = functionNameOf(provider, name);
  const logGroup = new LogGroup(scope, 'Logs', {
    logGroupName: `/aws/lambda/${functionName}`,
    retention: logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `What the ${name} of ${provider} may do`,
    ...(memberRole && { path: rolePathOf(provider) }),
  });
  logGroup.grantWrite(role);
  if (memberRole !== undefined) {
    const partition = partitionOf(Stack.of(scope).region).name;
    role.addToPolicy(
      new PolicyStatement({
        actions: ['sts:AssumeRole'],
        resources: accounts.map((account) =>
          memberRoleArn({ provider, role: memberRole }, { account, partition }),
        ),
      }),
    );
  }
  return new LambdaFunction(scope, 'Function', {
    ...network,
    functionName,
    description,
    timeout: Duration.seconds(timeoutSeconds),
    memorySize: memoryMb,
    code: codeOf(name, files && Object.fromEntries(files.map((file) => [file.name, file.content]))),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    role,
    logGroup,
    loggingFormat: LoggingFormat.JSON,
    environment: { ...sdkEnvironment, ...environment, ...commonEnvironment(name) },
  });
};
