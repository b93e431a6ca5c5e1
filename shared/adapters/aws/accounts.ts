import * as z from 'zod/mini';
import { RefusedRoleError, ThrottledError, UnavailableError } from '../../core/errors.ts';
import { type Accounts, namedTarget, type Target, targetName } from '../../core/target.ts';
import type { Clock } from '../../ports/clock.ts';
import { partitionOf } from './regions.ts';
import { signedCall } from './signed-call.ts';

/** The credentials of a session of a role. */
export type SessionCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
};

/** How the clients of AWS services reach the targets: those of the home account with the function's own credentials, others by a role there. */
export type AwsAccounts = {
  /**
   * The credentials for calls in the target's account; the same object until they are renewed. Undefined in the home account: the function's
   * own.
   * @throws RefusedRoleError where the role may not be assumed; UnavailableError, ThrottledError where STS gives no session now;
   * SettingsError for an account that is not configured.
   */
  credentialsIn(target: Target): Promise<SessionCredentials | undefined>;
  /** The target's account has refused the credentials: the next call gets others, since a role that was revoked may be granted again. */
  refused(target: Target): void;
  /** The target as messages name it. @throws SettingsError for an account that is not configured. */
  nameOf(target: Target): string;
};

/** Where no other accounts are configured. */
export const homeAccountAlone: AwsAccounts = {
  credentialsIn: async ({ region, account }) => {
    namedTarget({}, { region, account });
    return undefined;
  },
  refused: () => {},
  nameOf: (target) => targetName(namedTarget({}, target)),
};

/** `reader`: describes resources; `launcher`: creates, changes and deletes them, too. */
export type MemberRole = 'reader' | 'launcher';

/** The path of the roles of a deployment, its functions' and those in other accounts. */
export const rolePathOf = (provider: string): string => `/dcm-${provider}/`;

export const memberRoleName = (provider: string, role: MemberRole): string => `dcm-${provider}-${role}`;

/** The ARN of the role in another account that functions assume. */
export const memberRoleArn = (
  { provider, role }: { readonly provider: string; readonly role: MemberRole },
  { account, partition }: { readonly account: string; readonly partition: string },
): string => `arn:${partition}:iam::${account}:role${rolePathOf(provider)}${memberRoleName(provider, role)}`;

/** The variables that Lambda gives every function, and the endpoint variables of AWS's SDKs. */
const StsEnvironment = z.object({
  AWS_REGION: z.string().check(z.minLength(1)),
  AWS_LAMBDA_FUNCTION_NAME: z.string().check(z.minLength(1)),
  AWS_ACCESS_KEY_ID: z.string().check(z.minLength(1)),
  AWS_SECRET_ACCESS_KEY: z.string().check(z.minLength(1)),
  AWS_SESSION_TOKEN: z.optional(z.string()),
  AWS_ENDPOINT_URL_STS: z.optional(z.url()),
  AWS_ENDPOINT_URL: z.optional(z.url()),
});
export type StsEnvironment = z.infer<typeof StsEnvironment>;

type Parts = {
  /** Undefined: there are no other accounts. */
  readonly file: { readonly externalId: string; readonly accounts: Accounts } | undefined;
  /** Our name at DCM, which is in the names of the roles. */
  readonly provider: string;
  readonly role: MemberRole;
  /** Parsed at the first use of another account. */
  readonly environment: unknown;
  readonly now?: Clock;
};

type Session = {
  readonly credentials: SessionCredentials;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
};

/** So long before its end, a session is renewed; a short session after three quarters of its time. */
const renewedBeforeMs = 5 * 60_000;
/** An attempt to reach STS, whose answer every call in the account waits for. */
const attemptTimeoutMs = 1_000;
const attempts = 2;

/**
 * Roles in other accounts, assumed by STS in the function's own region: sessions of a regional endpoint are valid in every region. One session
 * for each account, of an hour, for all its regions. STS is called by one signed request, because its SDK client would be loaded for that alone.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export const assumedAccounts = ({
  file,
  provider,
  role,
  environment,
  now = Date.now,
}: Parts): AwsAccounts => {
  if (file === undefined) return homeAccountAlone;
  const { accounts, externalId } = file;
  const sessions = new Map<string, Session>();
  const asked = new Map<string, Promise<Session>>();
  let assume: ReturnType<typeof assumeRole> | undefined;

  const nameOf = (target: Target): string => targetName(namedTarget(accounts, target));

  const newSession = (account: string, alias: string): Promise<Session> => {
    assume ??= assumeRole(StsEnvironment.parse(environment), { provider, role, externalId, now });
    const waiting = asked.get(account) ?? assume(account, alias).finally(() => asked.delete(account));
    asked.set(account, waiting);
    return waiting.then((session) => {
      sessions.set(account, session);
      return session;
    });
  };

  return {
    nameOf,
    async credentialsIn(target) {
      const { account, alias } = namedTarget(accounts, target);
      if (account === undefined) return undefined;
      const held = sessions.get(account);
      if (held && now() < held.renewAtMs) return held.credentials;
      try {
        return (await newSession(account, alias)).credentials;
      } catch (error) {
        if (held && now() < held.endsAtMs && !(error instanceof RefusedRoleError)) return held.credentials;
        throw error;
      }
    },
    refused({ account }) {
      if (account !== undefined) sessions.delete(account);
    },
  };
};

type Asked = Required<Pick<Parts, 'provider' | 'role' | 'now'>> & { readonly externalId: string };

const assumeRole = (environment: StsEnvironment, { provider, role, externalId, now }: Asked) => {
  const { AWS_REGION: region, AWS_ENDPOINT_URL: everywhere, AWS_ENDPOINT_URL_STS: sts } = environment;
  const call = signedCall({
    credentials: async () => ({
      accessKeyId: environment.AWS_ACCESS_KEY_ID,
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY,
      sessionToken: environment.AWS_SESSION_TOKEN,
    }),
    endpoint: sts ?? everywhere,
    timeoutMs: attemptTimeoutMs,
  });

  const request = (account: string): Promise<{ readonly status: number; readonly text: string }> =>
    call({
      ...{ service: 'sts', target: { region }, method: 'POST', path: '/' },
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams({
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: memberRoleArn({ provider, role }, { account, partition: partitionOf(region).name }),
        RoleSessionName: environment.AWS_LAMBDA_FUNCTION_NAME,
        ExternalId: externalId,
      }).toString(),
    });

  return async (account: string, alias: string): Promise<Session> => {
    for (let attempt = 1; ; attempt++) {
      const askedAtMs = now();
      const answer = await request(account).catch((cause: unknown) => ({ status: 599, text: '', cause }));
      if (answer.status === 200) return sessionIn(answer.text, askedAtMs, alias);
      if (answer.status < 500 || attempt >= attempts) throw refusalOf(answer, { role, alias });
    }
  };
};

/** The text of an element of STS's answers, which have no attributes there and escape nothing of credentials. */
const elementIn = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

const sessionIn = (xml: string, askedAtMs: number, alias: string): Session => {
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = [
    ...['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'].map((name) => elementIn(xml, name)),
  ];
  const endsAtMs = Date.parse(expiration ?? '');
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(endsAtMs))
    throw new UnavailableError(`STS answered no credentials for the account ${alias}`);
  const aheadMs = Math.min(renewedBeforeMs, (endsAtMs - askedAtMs) / 4);
  return {
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    endsAtMs,
    renewAtMs: endsAtMs - aheadMs,
  };
};

/** Neither the answer nor the external id is quoted. */
const refusalOf = (
  { status, text, cause }: { readonly status: number; readonly text: string; readonly cause?: unknown },
  { role, alias }: { readonly role: MemberRole; readonly alias: string },
): Error => {
  const code = elementIn(text, 'Code') ?? (cause === undefined ? `HTTP ${status}` : 'no answer');
  const why = `STS did not give this provider a session of the role ${role} in the account ${alias} (${code})`;
  if (code === 'Throttling' || code === 'ThrottlingException') return new ThrottledError(why, { cause });
  if (status === 403) return new RefusedRoleError(why, { cause });
  return new UnavailableError(why, { cause });
};
