/** The configuration of a function. */
export type LambdaFunction = {
  readonly name: string;
  /** Absolute. Holds `index.mjs`, which exports `handler` (infra/bundle.ts writes it). */
  readonly folder: string;
  /** The function's variables, which take precedence over Lambda's. Of this process's environment a function gets only PATH. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Heap limit of its processes. @default 256 */
  readonly memoryMb?: number;
  /** Maximum number of execution environments, each of which handles one invocation at a time. @default 1 */
  readonly concurrency?: number;
  /** How many execution environments are initialised when the host starts, instead of at an invocation. @default 0 */
  readonly warm?: number;
};

/** A configuration with all defaults. */
export type FunctionSettings = Required<LambdaFunction>;
export const settingsOf = (fn: LambdaFunction): FunctionSettings => ({
  memoryMb: 256,
  concurrency: 1,
  warm: 0,
  ...fn,
});

const account = '000000000000';
const region = 'us-east-1';

export const functionArn = (name: string): string => `arn:aws:lambda:${region}:${account}:function:${name}`;

/** The function's name in what the Invoke API accepts: a name, an ARN or a partial ARN, each with or without a qualifier. */
export const functionName = (nameOrArn: string): string =>
  /^(?:(?:arn:[\w-]+:lambda:[\w-]+:)?\d{12}:function:)?([\w-]+)/.exec(nameOrArn)?.[1] ?? nameOrArn;

/** File and export of the handler in every bundle. */
export const handler = 'index.handler';

/**
 * The environment of a function's process: Lambda's own variables, then the function's.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export const variables = (fn: FunctionSettings, runtimeApi: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  LANG: 'en_US.UTF-8',
  TZ: ':UTC',
  _HANDLER: handler,
  LAMBDA_TASK_ROOT: fn.folder,
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_RUNTIME_API: runtimeApi,
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  AWS_LAMBDA_FUNCTION_NAME: fn.name,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMb),
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
  AWS_LAMBDA_LOG_STREAM_NAME: 'local/[$LATEST]',
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  ...fn.environment,
});
