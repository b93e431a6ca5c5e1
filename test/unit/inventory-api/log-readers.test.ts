import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { EC2Client, GetConsoleOutputCommand } from '@aws-sdk/client-ec2';
import { afterEach, describe, expect, it } from 'vitest';
import { ecsTaskLog } from '../../../shared/service-types/container/ecs/task-log.ts';
import { ec2ConsoleOutput } from '../../../shared/service-types/vm/ec2/console-output.ts';
import { mockedClient } from '../../mocked-client.ts';
import { loopback } from '../adapters/loopback.ts';

const target = { region: 'eu-west-1' };
const ec2 = mockedClient(EC2Client);
afterEach(() => ec2.reset());

describe('console output', () => {
  const read = (stream: string) => ec2ConsoleOutput()({ target, id: 'i-1', stream, newest: false });

  it('is what EC2 has, decoded', async () => {
    const Timestamp = new Date('2026-11-30T09:00:00Z');
    ec2
      .on(GetConsoleOutputCommand)
      .resolves({ Output: Buffer.from('Grüße\r\n').toString('base64'), Timestamp });

    expect(await read('console')).toEqual({ text: 'Grüße\r\n', updatedAt: Timestamp });
    expect(ec2.commandCalls(GetConsoleOutputCommand)[0]?.args[0].input).toEqual({ InstanceId: 'i-1' });
  });

  it('is asked for as of now as console-latest', async () => {
    ec2.on(GetConsoleOutputCommand).resolves({});

    expect(await read('console-latest')).toEqual({ text: '', updatedAt: undefined });
    expect(ec2.commandCalls(GetConsoleOutputCommand)[0]?.args[0].input).toMatchObject({ Latest: true });
  });

  it('is refused as EC2 refuses it', async () => {
    const refusal = Object.assign(new Error('not supported'), {
      name: 'UnsupportedOperation',
      $fault: 'client',
    });
    ec2.on(GetConsoleOutputCommand).rejects(refusal);

    await expect(read('console-latest')).rejects.toMatchObject({ code: 'unprocessable' });
  });
});

/** CloudWatch Logs that answers each request the same. */
const cloudWatchLogs = async (status: number, answer: object) => {
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    asked.push([request.headers['x-amz-target'], request.headers['content-type'], await json(request)]);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
  });
  return { asked, ...(await loopback(server)) };
};

const taskLog = (endpoint: string) =>
  ecsTaskLog({
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
    ...{ endpoint, provider: 'ec2-sp', logGroupOf: () => '/ecs/shop' },
  });
const request = { target, id: '0123', stream: 'main', newest: true };

describe('the log of a task', () => {
  it('is what CloudWatch Logs has in the stream of its container', async () => {
    await using logs = await cloudWatchLogs(200, { events: [{ message: 'one' }, { message: 'two' }] });

    expect(await taskLog(logs.url)(request)).toEqual({ text: 'one\ntwo', updatedAt: undefined });
    expect(logs.asked).toEqual([
      [
        'Logs_20140328.GetLogEvents',
        'application/x-amz-json-1.1',
        { logGroupName: '/ecs/shop', logStreamName: 'ec2-sp/main/0123', startFromHead: false },
      ],
    ]);
  });

  it.each([
    [400, 'ResourceNotFoundException', 'not-found'],
    [400, 'AccessDeniedException', 'permission-denied'],
    [400, 'ThrottlingException', 'resource-exhausted'],
    [500, 'InternalFailure', 'upstream'],
  ])('is refused where CloudWatch Logs answers %i %s', async (status, type, code) => {
    await using logs = await cloudWatchLogs(status, { __type: type });

    await expect(taskLog(logs.url)(request)).rejects.toMatchObject({ code });
  });

  it('is not known without a log group', async () => {
    const read = ecsTaskLog({
      credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
      ...{ endpoint: 'http://127.0.0.1:9', provider: 'ec2-sp', logGroupOf: () => undefined },
    });

    await expect(read(request)).rejects.toMatchObject({ code: 'not-found' });
  });
});
