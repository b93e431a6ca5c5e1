/** What is used of SSM's SDK client: a bundler leaves out the rest of it. */
export { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
