import { RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { type IAccessLogSettings, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { FunctionName } from '../function-names.ts';
import type { FunctionDefaults } from './function-defaults.ts';

/**
 * A JSON line for each request. It has no headers, bodies or queries, because these can contain secrets.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
 */
const fields = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  sourceIp: '$context.identity.sourceIp',
  userAgent: '$context.identity.userAgent',
  method: '$context.httpMethod',
  path: '$context.path',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  answerBytes: '$context.responseLength',
  integrationError: '$context.integrationErrorMessage',
};

/** The access log of an API. With this prefix, CloudWatch does not extend the log's resource policy, whose length is limited. */
export const accessLog = (
  scope: Construct,
  { provider, logRetention }: FunctionDefaults,
  api: FunctionName = 'provider-api',
): IAccessLogSettings => {
  const logGroup = new LogGroup(scope, 'AccessLog', {
    logGroupName: `/aws/vendedlogs/apis/${provider}-${api}`,
    retention: logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  return {
    destination: new LogGroupLogDestination(logGroup),
    format: AccessLogFormat.custom(JSON.stringify(fields)),
  };
};
