import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AwsAccounts,
  assumedAccounts,
  homeAccountAlone,
} from '../../../../shared/adapters/aws/accounts.ts';
import { RefusedRoleError, SettingsError, UnavailableError } from '../../../../shared/core/errors.ts';

const prod = { account: '222222222222', region: 'eu-west-1' };
const lab = { account: '333333333333', region: 'us-east-1' };
const file = {
  externalId: 'a-secret-of-the-hub-deployment',
  accounts: {
    prod: { id: prod.account, regions: ['eu-west-1', 'us-east-1'] },
    lab: { id: lab.account, regions: ['us-east-1'] },
  },
};

let sts: Server;
let asked: URLSearchParams[];
let authorizations: string[];
let answer: (parameters: URLSearchParams) => { readonly status: number; readonly body: string };
let nowMs: number;
let accounts: AwsAccounts;

const session = (number: number, seconds = 3600) => ({
  status: 200,
  body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA${number}</AccessKeyId><SecretAccessKey>se+/cret${number}</SecretAccessKey><SessionToken>to+/ken${number}==</SessionToken><Expiration>${new Date(nowMs + seconds * 1000).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
});
const refusal = (status: number, code: string) => ({
  status,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${file.externalId} is wrong</Message></Error></ErrorResponse>`,
});

beforeEach(async () => {
  asked = [];
  authorizations = [];
  nowMs = Date.parse('2030-01-01T00:00:00Z');
  answer = () => session(asked.length);
  sts = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const parameters = new URLSearchParams(body);
      asked.push(parameters);
      authorizations.push(request.headers.authorization ?? '');
      const { status, body: text } = answer(parameters);
      response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
    });
  });
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve));
  const address = sts.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  accounts = assumedAccounts({
    file,
    provider: 'ec2-sp',
    role: 'reader',
    now: () => nowMs,
    environment: {
      AWS_REGION: 'eu-west-1',
      AWS_LAMBDA_FUNCTION_NAME: 'ec2-sp-normaliser',
      AWS_ACCESS_KEY_ID: 'AKIDHOME',
      AWS_SECRET_ACCESS_KEY: 'home',
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${address.port}`,
    },
  });
});
afterEach(() => new Promise((resolve) => sts.close(resolve)));

describe('the credentials of a target', () => {
  it('are the function’s own in the home account, without a call of STS', async () => {
    expect(await accounts.credentialsIn({ region: 'eu-west-1' })).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('are those of the role in another account, asked for with the external id and the name of the function', async () => {
    expect(await accounts.credentialsIn(prod)).toEqual({
      accessKeyId: 'ASIA1',
      secretAccessKey: 'se+/cret1',
      sessionToken: 'to+/ken1==',
    });

    expect(Object.fromEntries(asked[0] ?? [])).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::222222222222:role/dcm-ec2-sp/dcm-ec2-sp-reader',
      RoleSessionName: 'ec2-sp-normaliser',
      ExternalId: file.externalId,
    });
    expect(authorizations[0]).toContain('AKIDHOME/');
    expect(authorizations[0]).toContain('/eu-west-1/sts/aws4_request');
  });

  it('are the same in all regions of an account, and others in each account', async () => {
    const [first, second, other] = await Promise.all([
      accounts.credentialsIn(prod),
      accounts.credentialsIn({ ...prod, region: 'us-east-1' }),
      accounts.credentialsIn(lab),
    ]);

    expect(second).toBe(first);
    expect(other).not.toEqual(first);
    expect(asked.map((one) => one.get('RoleArn'))).toHaveLength(2);
  });

  it('are renewed before they end', async () => {
    await accounts.credentialsIn(prod);
    nowMs += 54 * 60_000;
    await accounts.credentialsIn(prod);
    expect(asked).toHaveLength(1);

    nowMs += 2 * 60_000;
    expect((await accounts.credentialsIn(prod))?.accessKeyId).toBe('ASIA2');
  });

  it('stay while they last where STS does not answer', async () => {
    await accounts.credentialsIn(prod);
    nowMs += 57 * 60_000;
    answer = () => refusal(503, 'ServiceUnavailable');
    expect((await accounts.credentialsIn(prod))?.accessKeyId).toBe('ASIA1');

    nowMs += 4 * 60_000;
    await expect(accounts.credentialsIn(prod)).rejects.toThrow(UnavailableError);
  });

  it('are asked for again after the account has refused them', async () => {
    await accounts.credentialsIn(prod);
    accounts.refused(prod);

    expect((await accounts.credentialsIn(prod))?.accessKeyId).toBe('ASIA2');
  });

  it('are asked for a second time where STS fails once', async () => {
    answer = () => (asked.length === 1 ? refusal(500, 'InternalFailure') : session(2));

    expect((await accounts.credentialsIn(prod))?.accessKeyId).toBe('ASIA2');
  });

  it('are not to be had, until a retry, where the role does not trust this provider; the message has neither the account’s id nor the external id', async () => {
    answer = () => refusal(403, 'AccessDenied');

    const refused = accounts.credentialsIn(prod);

    await expect(refused).rejects.toThrow(RefusedRoleError);
    await expect(refused).rejects.toMatchObject({
      ...{ code: 'unavailable', retryable: true },
      message:
        'STS did not give this provider a session of the role reader in the account prod (AccessDenied)',
    });
    expect(asked).toHaveLength(1);
  });

  it('of one account do not depend on another one', async () => {
    answer = (parameters) =>
      parameters.get('RoleArn')?.includes(prod.account) ? refusal(403, 'AccessDenied') : session(1);

    await expect(accounts.credentialsIn(prod)).rejects.toThrow(RefusedRoleError);
    expect((await accounts.credentialsIn(lab))?.accessKeyId).toBe('ASIA1');
  });

  it.each([accountsOfNone, () => accounts])(
    'are refused for an account that is not configured',
    async (given) => {
      await expect(given().credentialsIn({ account: '444444444444', region: 'eu-west-1' })).rejects.toThrow(
        SettingsError,
      );
      expect(asked).toEqual([]);
    },
  );
});

function accountsOfNone(): AwsAccounts {
  return homeAccountAlone;
}

it('a target is named by the alias of its account', () => {
  expect(accounts.nameOf(prod)).toBe('prod/eu-west-1');
  expect(accounts.nameOf({ region: 'eu-west-1' })).toBe('eu-west-1');
});
