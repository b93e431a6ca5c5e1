import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import type { LambdaFunction } from '../../../local/emulators/lambda/lambda-function.ts';
import { startLambdaHost } from '../../../local/emulators/lambda/start-lambda-host.ts';
import { bundles } from './bundles.ts';
import { isAlive, isStopped } from './processes.ts';

const probe = `
let invocations = 0;
console.log('loaded');
const behaviours = {
  echo: (event, context) => ({ event, invocations, pid: process.pid, remainingMs: context.getRemainingTimeInMillis() }),
  context: (_, context) => ({ ...context }),
  variables: () => process.env,
  nothing: () => undefined,
  fail: () => { throw new RangeError('too far: ✗'); },
  exit: () => process.exit(7),
  leave: () => process.exit(0),
  leaveAfterwards: () => { setTimeout(() => process.exit(1), 20); return 'last words'; },
  hang: () => { console.log('hanging'); return new Promise((resolve) => setTimeout(resolve, 60_000)); },
  nap: ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms, 'rested')),
};
export const handler = async (event, context) => {
  invocations += 1;
  return behaviours[event.do ?? 'echo'](event, context);
};
`;

/** A Lambda host with one function, \`probe\`, whose events say what it does. */
const hosting = async (source = probe, settings: Partial<LambdaFunction> = {}) => {
  const folder = await bundles();
  const lines: string[] = [];
  const host = await startLambdaHost({
    functions: [
      {
        name: 'probe',
        folder: await folder.write('probe', source),
        environment: { GREETING: 'hello' },
        timeoutMs: 20_000,
        ...settings,
      },
    ],
    log: (name, line) => lines.push(`${name}: ${line}`),
  });
  return {
    ...host,
    lines,
    probe: (event: unknown) => host.invoke('probe', event),
    hangs: () => expect.poll(() => lines.join()).toContain('hanging'),
    client: new LambdaClient({ ...clientConfig(host.url), maxAttempts: 1 }),
    [Symbol.asyncDispose]: async () => {
      await host[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
};

describe('lambda host', () => {
  it('starts a function when it is first invoked, and keeps it warm', async () => {
    await using host = await hosting();

    const before = host.pids('probe');
    const first = await host.probe({ n: 1 });
    const second = await host.probe({ n: 2 });

    const [pid] = host.pids('probe');
    expect(before).toEqual([]);
    expect(first).toMatchObject({ event: { n: 1 }, invocations: 1, pid });
    expect(second).toMatchObject({ event: { n: 2 }, invocations: 2, pid });
    expect(host.lines.filter((line) => line.endsWith('loaded'))).toHaveLength(1);
  });

  it('loads as many environments as are to be warm before an invocation', async () => {
    await using host = await hosting(probe, { warm: 1, concurrency: 2 });

    expect(host.pids('probe')).toHaveLength(1);
    await expect.poll(() => host.lines).toContainEqual(expect.stringMatching(/^probe: .*loaded$/));
  });

  it('gives a function the variables and the context that Lambda gives, and nothing of ours', async () => {
    process.env.OF_THE_HOST = 'secret';
    await using host = await hosting(probe, { memoryMb: 128, timeoutMs: 15_000 });

    const variables = await host.probe({ do: 'variables' });
    const context = await host.probe({ do: 'context' });
    const { remainingMs } = Object(await host.probe({}));

    delete process.env.OF_THE_HOST;
    expect(variables).toMatchObject({
      GREETING: 'hello',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_LAMBDA_FUNCTION_NAME: 'probe',
      PATH: process.env.PATH,
    });
    expect(variables).not.toHaveProperty('OF_THE_HOST');
    expect(context).toMatchObject({
      functionName: 'probe',
      functionVersion: '$LATEST',
      memoryLimitInMB: '128',
      logGroupName: '/aws/lambda/probe',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:probe',
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(remainingMs).toBeGreaterThan(5_000);
    expect(remainingMs).toBeLessThanOrEqual(15_000);
  });

  it('answers null where the handler returns nothing', async () => {
    await using host = await hosting();

    expect(await host.probe({ do: 'nothing' })).toBeNull();
  });

  it('tells what a handler threw, and keeps its process', async () => {
    await using host = await hosting();

    const { pid } = Object(await host.probe({}));
    const failure = host.probe({ do: 'fail' });

    await expect(failure).rejects.toMatchObject({ name: 'RangeError', message: 'too far: ✗' });
    expect(await host.probe({})).toMatchObject({ pid, invocations: 3 });
  });

  it.each([
    ['exit', /^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 7$/],
    ['leave', /Error: Runtime exited without providing a reason$/],
  ])('starts afresh after a process ended during an invocation (%s)', async (behaviour, message) => {
    await using host = await hosting();

    await expect(host.probe({ do: behaviour })).rejects.toMatchObject({
      name: 'Runtime.ExitError',
      message: expect.stringMatching(message),
    });

    expect(await host.probe({})).toMatchObject({ invocations: 1 });
  });

  it('starts afresh, and nobody notices, after a process ended between two invocations', async () => {
    await using host = await hosting();

    expect(await host.probe({ do: 'leaveAfterwards' })).toBe('last words');
    await expect.poll(() => host.pids('probe')).toEqual([]);

    expect(await host.probe({})).toMatchObject({ invocations: 1 });
  });

  it('kills a function that takes longer than it may, and starts afresh', async () => {
    await using host = await hosting(probe, { timeoutMs: 1_500 });
    const { pid } = Object(await host.probe({}));

    const hanging = host.probe({ do: 'hang' });
    const next = host.probe({});

    await expect(hanging).rejects.toMatchObject({
      name: 'Sandbox.Timedout',
      message: expect.stringMatching(/^RequestId: \S+ Error: Task timed out after 1\.50 seconds$/),
    });
    expect(await next).toMatchObject({ invocations: 1 });
    expect(isAlive(pid)).toBe(false);
  });

  it('reports what kept a function from loading, each time that it is invoked', async () => {
    await using host = await hosting(
      `throw new TypeError('FLEET_TABLE is missing'); export const handler = 1;`,
    );
    const failure = { name: 'TypeError', message: 'FLEET_TABLE is missing' };

    await expect(host.probe({})).rejects.toMatchObject(failure);
    await expect(host.probe({})).rejects.toMatchObject(failure);
    expect(host.lines.join()).toContain('FLEET_TABLE is missing');
  });

  it('reports a bundle that exports no handler', async () => {
    await using host = await hosting('export const handle = () => 1;');

    await expect(host.probe({})).rejects.toMatchObject({
      name: 'Runtime.HandlerNotFound',
      message: 'index.handler is undefined or not exported',
    });
  });

  it('gives each process one invocation at a time', async () => {
    await using single = await hosting();
    await using double = await hosting(probe, { concurrency: 2 });
    const nap = { do: 'nap', ms: 200 };

    await Promise.all([double.probe(nap), double.probe(nap)]);
    const started = performance.now();
    await Promise.all([single.probe(nap), single.probe(nap)]);
    const elapsedMs = performance.now() - started;

    expect(double.pids('probe')).toHaveLength(2);
    expect(single.pids('probe')).toHaveLength(1);
    expect(elapsedMs).toBeGreaterThanOrEqual(395); // two naps; timers may be early by a millisecond
  });

  it('holds an invocation of a frozen function until it thaws', async () => {
    await using host = await hosting();
    await host.probe({});

    host.freeze('probe');
    await expect.poll(() => host.pids('probe').every(isStopped)).toBe(true);
    let answered = false;
    const answer = host.probe({}).finally(() => {
      answered = true;
    });
    await sleep(200);
    const whileFrozen = answered;
    host.thaw('probe');

    expect(await answer).toMatchObject({ invocations: 2 });
    expect(whileFrozen).toBe(false);
  });

  it('starts afresh after it was killed', async () => {
    await using host = await hosting();
    await host.probe({});

    const hanging = host.probe({ do: 'hang' });
    await host.hangs();
    host.kill('probe');

    await expect(hanging).rejects.toMatchObject({
      name: 'Runtime.ExitError',
      message: expect.stringContaining('signal: killed'),
    });
    expect(await host.probe({})).toMatchObject({ invocations: 1 });
  });

  it('leaves no process behind, not even a frozen or a busy one', async () => {
    const host = await hosting(probe, { concurrency: 2 });
    await Promise.all([host.probe({ do: 'nap', ms: 50 }), host.probe({ do: 'nap', ms: 50 })]);
    const pids = host.pids('probe');

    const busy = host.probe({ do: 'hang' });
    const outcome = expect(busy).rejects.toMatchObject({ name: 'Runtime.ExitError' });
    await host.hangs();
    host.freeze('probe');
    await host[Symbol.asyncDispose]();

    await outcome;
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('refuses to start without a bundle', async () => {
    const settings = { name: 'probe', folder: '/nowhere', environment: {}, timeoutMs: 1000 };

    await expect(startLambdaHost({ functions: [settings], log: () => {} })).rejects.toThrow(
      '/nowhere/index.mjs',
    );
  });
});

describe('lambda host, by its Invoke API', () => {
  const json = (payload: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(payload));

  it.each([
    'probe',
    'probe:$LATEST',
    'arn:aws:lambda:us-east-1:000000000000:function:probe',
    '000000000000:function:probe',
  ])('answers the SDK that calls %s', async (FunctionName) => {
    await using host = await hosting();

    const answer = await host.client.send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify({ n: 1 }) }),
    );

    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(answer.FunctionError).toBeUndefined();
    expect(json(answer.Payload)).toMatchObject({ event: { n: 1 } });
  });

  it('answers a failed invocation as Lambda does', async () => {
    await using host = await hosting();

    const answer = await host.client.send(
      new InvokeCommand({ FunctionName: 'probe', Payload: JSON.stringify({ do: 'fail' }) }),
    );

    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(json(answer.Payload)).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'too far: ✗',
      trace: expect.arrayContaining(['RangeError: too far: ✗']),
    });
  });

  it('gives an empty event where the caller sends none', async () => {
    await using host = await hosting();

    const answer = await host.client.send(new InvokeCommand({ FunctionName: 'probe' }));

    expect(json(answer.Payload)).toMatchObject({ event: {} });
  });

  it('takes on an asynchronous invocation and answers before it is done', async () => {
    await using host = await hosting();

    const answer = await host.client.send(
      new InvokeCommand({
        FunctionName: 'probe',
        InvocationType: 'Event',
        Payload: JSON.stringify({ do: 'fail' }),
      }),
    );

    expect(answer.StatusCode).toBe(202);
    await expect.poll(() => host.lines).toContain('probe: asynchronous invocation failed: too far: ✗');
  });

  it('refuses a function that is not there, and an event that is no JSON', async () => {
    await using host = await hosting();

    const unknown = host.client.send(new InvokeCommand({ FunctionName: 'elsewhere' }));
    const broken = host.client.send(new InvokeCommand({ FunctionName: 'probe', Payload: '{' }));

    await expect(unknown).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:elsewhere',
    });
    await expect(broken).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
  });
});
