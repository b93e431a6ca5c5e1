import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** What every invocation uses, health included; all other clients are loaded when they are needed. */
export const awsClients = () => {
  const dynamoDb = new DynamoDBClient();
  return {
    table: DynamoDBDocumentClient.from(dynamoDb),
    lambda: new LambdaClient(),
    sqs: new SQSClient(),
    credentials: dynamoDb.config.credentials,
  };
};
export type AwsClients = ReturnType<typeof awsClients>;
