import { EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalServer, serve } from '../../../../local/processes/loopback.ts';
import type { AwsAccounts, SessionCredentials } from '../../../../shared/adapters/aws/accounts.ts';
import { callsByTarget, readsByTarget } from '../../../../shared/adapters/aws/calls.ts';
import type { Connection } from '../../../../shared/adapters/aws/clients.ts';
import { signedCall } from '../../../../shared/adapters/aws/signed-call.ts';
import { RefusedRoleError, UnavailableError } from '../../../../shared/core/errors.ts';

const prod = { account: '222222222222', region: 'eu-west-1' };
const home = { region: 'eu-west-1' };

/** Sessions, of which an administrator may end all that have begun. */
let begun: number;
let ended: number;
let held: SessionCredentials | undefined;
let isHomeRefused: boolean;
/** The number of the session of each call; 0: the home account. */
let calls: number[];
beforeEach(() => {
  [begun, ended, held, calls, isHomeRefused] = [0, 0, undefined, [], false];
});
const endSessions = () => {
  ended = begun;
};
const begin = (): SessionCredentials => {
  begun += 1;
  return { accessKeyId: `ASIA${begun}`, secretAccessKey: 'secret', sessionToken: 'token' };
};
const accounts: AwsAccounts = {
  credentialsIn: async ({ account }) => {
    if (account === undefined) return undefined;
    held ??= begin();
    return held;
  },
  refused: () => {
    held = undefined;
  },
  nameOf: ({ account, region }) => (account === undefined ? region : `prod/${region}`),
};

const numberOf = (key = 'ASIA0'): number => Number(/ASIA(\d+)/.exec(key)?.[1]);
/** How AWS answers a call of a session: undefined where it carries it out. */
const refusalOf = (session: number, code: string): string | undefined => {
  calls.push(session);
  const isRefused = session === 0 ? isHomeRefused : session <= ended;
  return isRefused ? code : undefined;
};

const connect = (_: object, { region, credentials }: Connection) =>
  Object.assign(new EC2Client({ region }), { session: numberOf(credentials?.accessKeyId) });
const asking = async ({ session }: { readonly session: number }, code: string): Promise<number> => {
  const refusal = refusalOf(session, code);
  if (refusal !== undefined) throw Object.assign(new Error('refused'), { name: refusal, $fault: 'client' });
  return session;
};
const service = { name: 'EC2', load: async () => ({}), connect, accounts };

let endpoint: LocalServer;
let code = 'RequestExpired';
beforeAll(async () => {
  endpoint = await serve((request) => {
    const refusal = refusalOf(numberOf(request.headers.get('authorization') ?? undefined), code);
    return refusal === undefined
      ? new Response('done')
      : new Response(`<Error><Code>${refusal}</Code></Error>`, { status: 403 });
  });
});
afterAll(() => endpoint[Symbol.asyncDispose]());

const callers = () => {
  const call = callsByTarget({ ...service, timeoutMs: 1_000 });
  const read = readsByTarget(service);
  const signed = signedCall({
    credentials: async (target) =>
      (await accounts.credentialsIn(target)) ?? { accessKeyId: 'ASIA0', secretAccessKey: 'secret' },
    refused: accounts.refused,
    endpoint: endpoint.url,
  });
  return {
    call: (target: typeof home) => call(target, 'run', (_, client) => asking(client, code)),
    read: (target: typeof home) =>
      read({ target, timeoutMs: 1_000, what: 'list' }, (_, client) => asking(client, code)),
    'signed call': async (target: typeof home) => {
      const { status } = await signed({ service: 'ec2', target, method: 'GET', path: '/' });
      if (status !== 200) throw new UnavailableError(`answered ${status}`);
      return begun;
    },
  };
};

describe.each(['call', 'read', 'signed call'] as const)('a %s in another account', (kind) => {
  it.each([
    'AccessDenied',
    'AuthFailure',
    'ExpiredTokenException',
    'InvalidClientTokenId',
    'RequestExpired',
    'UnauthorizedOperation',
  ])('goes on in a new session where an administrator has ended the old one (%s)', async (given) => {
    code = given;
    const { [kind]: ask } = callers();
    expect(await ask(prod)).toBe(1);
    endSessions();

    expect(await ask(prod)).toBe(2);
    expect(calls).toEqual([1, 1, 2]);
    expect(await ask(prod)).toBe(2);
  });

  it('is asked once for a session that has never worked, such as one without the permission', async () => {
    const { [kind]: ask } = callers();
    ended = 10;

    await expect(ask(prod)).rejects.toThrow();
    await expect(ask(prod)).rejects.toThrow();
    expect(calls).toEqual([1, 2]);
  });

  it('is asked twice at most', async () => {
    const { [kind]: ask } = callers();
    await ask(prod);
    ended = 10;

    await expect(ask(prod)).rejects.toThrow();
    expect(calls).toEqual([1, 1, 2]);
  });

  it('is asked once in the home account', async () => {
    const { [kind]: ask } = callers();
    await ask(home);
    isHomeRefused = true;

    await expect(ask(home)).rejects.toThrow();
    expect(calls).toEqual([0, 0]);
  });
});

it('a call whose new session STS refuses says so', async () => {
  const denied = new RefusedRoleError('STS gives no session');
  let isDenied = false;
  const call = callsByTarget({
    ...{ ...service, timeoutMs: 1_000 },
    accounts: {
      ...accounts,
      credentialsIn: (target) => (isDenied ? Promise.reject(denied) : accounts.credentialsIn(target)),
      refused: () => {
        isDenied = true;
      },
    },
  });
  const ask = () => call(prod, 'run', (_, client) => asking(client, 'RequestExpired'));
  await ask();
  endSessions();

  await expect(ask()).rejects.toMatchObject({
    ...{ code: 'unavailable', retryable: true, cause: denied },
    message: 'EC2 in prod/eu-west-1 was not asked to run: STS gives no session',
  });
});
