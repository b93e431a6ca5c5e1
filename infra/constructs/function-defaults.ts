import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
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
import type { FunctionName } from '../bundle.ts';

/** Where in CloudWatch everything is that the functions count; its dimension `service` is the box. */
export const metricsNamespace = 'DcmEc2ServiceProvider';

/** The bundle of a function, with these files beside it. */
export type CodeOf = (box: FunctionName, files?: Files) => Code;

/** The content of files by their names. */
export type Files = Readonly<Record<string, string>>;

/** What all functions of a deployment have in common. */
export type FunctionDefaults = {
  /** Our name at DCM; functions are called `<provider>-<box>`. */
  readonly provider: string;
  readonly logRetention: RetentionDays;
  readonly codeOf: CodeOf;
};

export type FunctionWithDefaultsProps = Pick<FunctionProps, 'vpc' | 'vpcSubnets' | 'securityGroups'> & {
  readonly defaults: FunctionDefaults;
  readonly box: FunctionName;
  readonly description: string;
  readonly timeout: Duration;
  readonly memoryMb: number;
  /** What is too large for the environment. */
  readonly files?: Files;
  readonly environment: Readonly<Record<string, string>>;
};

export const functionNameOf = (defaults: FunctionDefaults, box: FunctionName): string =>
  `${defaults.provider}-${box}`;

/**
 * The one way a function is made: arm64, JSON logs in a log group of its own, and a role that can do nothing but write them. Whoever
 * makes it grants it the rest. It is not traced by X-Ray: what a request to the API brings about carries the request's id, up to
 * the CloudEvent.
 */
export const functionWithDefaults = (
  scope: Construct,
  { defaults, box, memoryMb, files, environment, ...rest }: FunctionWithDefaultsProps,
): LambdaFunction => {
  const functionName = functionNameOf(defaults, box);
  const logGroup = new LogGroup(scope, 'Logs', {
    logGroupName: `/aws/lambda/${functionName}`,
    retention: defaults.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `What the ${box} of ${defaults.provider} may do`,
  });
  logGroup.grantWrite(role);
  return new LambdaFunction(scope, 'Function', {
    ...rest,
    functionName,
    code: defaults.codeOf(box, files),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: memoryMb,
    role,
    logGroup,
    loggingFormat: LoggingFormat.JSON,
    environment: {
      ...environment,
      NODE_OPTIONS: '--enable-source-maps',
      POWERTOOLS_SERVICE_NAME: box,
      POWERTOOLS_METRICS_NAMESPACE: metricsNamespace,
    },
  });
};
