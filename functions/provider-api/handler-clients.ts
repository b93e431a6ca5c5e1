import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** Without them a connection that died while the function was frozen has a caller wait until the function is stopped. */
const impatient = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true };

/** What every invocation uses, health included; all other clients are loaded when they are needed. */
export const awsClients = () => {
  const dynamoDb = new DynamoDBClient({ requestHandler: impatient });
  return {
    table: DynamoDBDocumentClient.from(dynamoDb),
    lambda: new LambdaClient(),
    sqs: new SQSClient({ requestHandler: impatient }),
    credentials: dynamoDb.config.credentials,
  };
};
export type AwsClients = ReturnType<typeof awsClients>;
