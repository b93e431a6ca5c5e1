import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { startEc2Simulator } from '../../local/emulators/ec2/start-ec2-simulator.ts';
import { startEcsEmulator } from '../../local/emulators/ecs/start-ecs-emulator.ts';
import { startEksEmulator } from '../../local/emulators/eks/start-eks-emulator.ts';
import { dynamoDbFirstAnswer } from '../../shared/adapters/dynamodb/first-answer.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { eksProbe } from '../../shared/service-types/cluster/eks/probe.ts';
import { ecsProbe } from '../../shared/service-types/container/ecs/probe.ts';
import { ec2DryRun } from '../../shared/service-types/vm/ec2/dry-run.ts';
import { memoryHeartbeats } from '../fakes/memory-heartbeats.ts';
import { heartbeatsContract } from './heartbeats.ts';

const [dynamoDb, ec2] = await Promise.all([startDynamoDb(), startEc2Simulator({ emit: () => undefined })]);
afterAll(async () => {
  for (const part of [dynamoDb, ec2]) await part[Symbol.asyncDispose]();
});

describe('what health asks', () => {
  const credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' });

  it('of EC2 is answered by the simulator as by EC2', async () => {
    await expect(
      ec2DryRun({ credentials, endpoint: ec2.url })({ region: 'eu-west-1' }),
    ).resolves.toBeUndefined();
  });

  it('of ECS and EKS is answered by the emulators as by ECS and EKS', async () => {
    await using ecs = await startEcsEmulator({
      network: ec2.network,
      emit: () => undefined,
      clusters: ['dcm'],
    });
    await using eks = await startEksEmulator({ subnets: () => [] });
    const target = { region: 'eu-west-1' };
    const probeOf = (cluster: string) =>
      ecsProbe({ credentials, endpoint: ecs.url, ecsClusters: { 'eu-west-1': cluster } })(target);

    await expect(probeOf('dcm')).resolves.toBeUndefined();
    await expect(probeOf('another')).rejects.toThrow('the ECS cluster of eu-west-1 is missing');
    await expect(eksProbe({ credentials, endpoint: eks.url })(target)).resolves.toBeUndefined();
    eks.throttleNext(1);
    await expect(eksProbe({ credentials, endpoint: eks.url })(target)).resolves.toBeUndefined();
    expect([ecs.calls(), eks.calls()]).toEqual([{ DescribeClusters: 2 }, { ListClusters: 2 }]);
  });

  it('of the DynamoDB table is decided by the first caller', async () => {
    await createTable(dynamoDb.url, { name: 'fleet', partitionKey: { name: 'pk', type: 'S' } });
    const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
    const askedAt = (second: number) => dynamoDbFirstAnswer(client, 'fleet', () => second * 1000)('1.2.3');

    const answers = await Promise.all([100, 200, 300].map(askedAt));

    expect(new Set(answers).size).toBe(1);
    expect(await askedAt(400)).toBe(answers[0]);
  });
});

const tables = (function* () {
  for (let n = 0; ; n += 1) yield `heartbeats-${n}`;
})();

heartbeatsContract('in memory', async () => memoryHeartbeats());
heartbeatsContract('in DynamoDB', async () => {
  const table = tables.next().value;
  await createTable(dynamoDb.url, { name: table, partitionKey: { name: 'pk', type: 'S' } });
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
  return dynamoDbHeartbeats(client, table);
});
