import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import type { LocalServer } from '../local/processes/loopback.ts';
import { account, homeRegion } from './names.ts';

type Emulator = Pick<LocalServer, 'url'>;

/** How an SDK client reaches an emulator, as the account's root user, whom no policy restricts. */
export const rootConfig = ({ url }: Emulator, region: string = homeRegion) => ({
  endpoint: url,
  region,
  credentials: { accessKeyId: account, secretAccessKey: 'test' },
});

type AwsCall = {
  readonly method?: string;
  readonly region?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** A signed request of the root user to a service of which the project has no SDK client; answers the body. */
export const callAws = async (
  { url }: Emulator,
  service: string,
  { region = homeRegion, method = 'POST', ...request }: AwsCall,
): Promise<string> => {
  const { credentials } = rootConfig({ url });
  const aws = new AwsClient({ ...credentials, service, region, retries: 0 });
  const response = await aws.fetch(url, { method, ...request });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${url} of ${service}: HTTP ${response.status} ${text}`);
  return text;
};

/** The access key of a new IAM user, who may do what the statement allows; nothing without one. */
export const userWithPolicy = async (emulator: Emulator, statement?: object) => {
  const UserName = `probe-${randomUUID()}`;
  const iam = (parameters: Readonly<Record<string, string>>): Promise<string> =>
    callAws(emulator, 'iam', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ Version: '2010-05-08', UserName, ...parameters }).toString(),
    });
  await iam({ Action: 'CreateUser' });
  if (statement) {
    const PolicyDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] };
    await iam({
      Action: 'PutUserPolicy',
      PolicyName: 'probe',
      PolicyDocument: JSON.stringify(PolicyDocument),
    });
  }
  const key = await iam({ Action: 'CreateAccessKey' });
  const textOf = (element: string) => new RegExp(`<${element}>(.*?)</${element}>`).exec(key)?.[1] ?? '';
  return { accessKeyId: textOf('AccessKeyId'), secretAccessKey: textOf('SecretAccessKey') };
};
