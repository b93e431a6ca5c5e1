import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';

/** Repeats one SDK call, with a new command object. */
type Call = () => Promise<unknown>;

/**
 * Clients that record the calls made with them, so that they can be made again. Calls that were under way together are a phase: they are
 * repeated together, and phases one after the other.
 */
export const recordCalls = (clients: {
  readonly dynamoDb: DynamoDBDocumentClient;
  readonly lambda: LambdaClient;
}) => {
  const phases: Call[][] = [];
  let underWay = 0;

  const recorded = <Client extends object>(client: Client): Client =>
    new Proxy(client, {
      get: (target, name) => (name === 'send' ? record : Reflect.get(target, name)),
    });
  const record = async (command: unknown) => {
    const call = callOf(clients, command);
    if (underWay === 0) phases.push([]);
    phases.at(-1)?.push(call);
    underWay += 1;
    try {
      return await call();
    } finally {
      underWay -= 1;
    }
  };

  return {
    dynamoDb: recorded(clients.dynamoDb),
    lambda: recorded(clients.lambda),
    replay: async (): Promise<void> => {
      for (const phase of phases) await Promise.all(phase.map((call) => call()));
    },
  };
};

const callOf = ({ dynamoDb, lambda }: Parameters<typeof recordCalls>[0], command: unknown): Call => {
  if (command instanceof BatchGetCommand) return () => dynamoDb.send(new BatchGetCommand(command.input));
  if (command instanceof GetCommand) return () => dynamoDb.send(new GetCommand(command.input));
  if (command instanceof UpdateCommand) return () => dynamoDb.send(new UpdateCommand(command.input));
  if (command instanceof InvokeCommand) return () => lambda.send(new InvokeCommand(command.input));
  throw new Error('Calls of this kind cannot be recorded yet.');
};
