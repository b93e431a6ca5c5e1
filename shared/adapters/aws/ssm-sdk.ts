/** The exports that we use of SSM's SDK client, so that the bundler can leave out the rest. */
export { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
