import { randomBytes, randomUUID } from 'node:crypto';
import { XMLBuilder } from 'fast-xml-parser';
import { Hono } from 'hono';
import * as z from 'zod';
import { reasonOf } from '../../shared/core/errors.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { type LocalServer, serve } from '../processes/loopback.ts';
import {
  type Caller,
  type Callers,
  defaultAccount,
  keyCallers,
  type Refusal,
  type Signature,
  signatureOf,
} from './callers.ts';

/** Names a role of an account. */
export type RoleId = { readonly account: string; readonly name: string };

export type Role = RoleId & {
  /** With a slash at both ends. */
  readonly path: string;
  /** What its policies allow, such as `ec2:Describe*`. */
  readonly actions: readonly string[];
  /** Its trust policy: who may assume it. @default nobody */
  readonly trust?: {
    /** What the ARN of the calling role or user begins with, such as `arn:aws:iam::123456789012:role/dcm-ec2-sp/`. */
    readonly principals: string;
    readonly externalId: string;
  };
};

export type SessionCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
};

type Session = SessionCredentials & {
  readonly role: Role;
  readonly name: string;
  readonly expiresAtMs: number;
};

/** STS for demos and tests, with the roles of all accounts. */
export type Sts = LocalServer & {
  /** Those of `keyCallers`, and the sessions of roles: the callers that the other emulators must know. */
  readonly callers: Callers;
  /** Credentials of a role that do not expire, as Lambda gives its functions. @throws for an unknown role */
  credentialsOf(role: RoleId, sessionName: string): SessionCredentials;
  /** From now on the role cannot be assumed, and its sessions may do nothing, also those that began before. */
  revoke(role: RoleId): void;
  /** Undoes `revoke`. */
  grant(role: RoleId): void;
  /** How long at most the sessions last that begin from now on, in seconds. */
  limitSessions(seconds: number): void;
  /** The sessions that AssumeRole has begun, in their order. */
  assumed(): readonly { readonly role: RoleId; readonly name: string }[];
};

type Options = {
  readonly port?: number;
  readonly roles: readonly Role[];
  /** The home account. @default defaultAccount */
  readonly account?: string;
  readonly clock?: Clock;
};

/** Access keys of sessions begin with it, as AWS's do. */
const sessionKeyPrefix = 'ASIA';

/** A session of a role that another session assumes lasts an hour at most. */
const chainedSeconds = 3_600;

/** Starts STS with AWS's Query protocol. @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const startSts = async (options: Options): Promise<Sts> => {
  const { port, roles, account: home = defaultAccount, clock = Date.now } = options;
  const others = keyCallers(home);
  const sessions = new Map<string, Session>();
  const assumed: Session[] = [];
  const revoked = new Set<Role>();
  let longestSeconds = Number.POSITIVE_INFINITY;

  const roleOf = ({ account, name }: RoleId): Role => {
    const role = roles.find((one) => one.account === account && one.name === name);
    if (role === undefined) throw new Error(`there is no role ${name} in the account ${account}`);
    return role;
  };
  const begin = (role: Role, name: string, seconds: number): Session => {
    const session = { ...newCredentials(role), role, name, expiresAtMs: clock() + seconds * 1_000 };
    sessions.set(session.accessKeyId, session);
    return session;
  };
  const callers: Callers = (signature) => {
    const session = sessions.get(signature.accessKeyId);
    if (!signature.accessKeyId.startsWith(sessionKeyPrefix)) return others(signature);
    if (session === undefined || session.sessionToken !== signature.sessionToken) return unknownCaller;
    const { role } = session;
    const arn = sessionArn(session);
    return {
      ...{ account: role.account, arn, isService: false },
      refusal: (action) => {
        if (clock() >= session.expiresAtMs)
          return { reason: 'expired', message: 'The security token included in the request is expired' };
        const isAllowed = !revoked.has(role) && role.actions.some((pattern) => isMatch(pattern, action));
        return isAllowed ? undefined : denied({ arn }, action);
      },
    };
  };

  const assumeRole = (input: unknown, caller: Caller, callingRole: Role | undefined) => {
    const { RoleArn, RoleSessionName, DurationSeconds, ExternalId } = AssumeRole.parse(input);
    if (callingRole && DurationSeconds > chainedSeconds)
      throw invalid(
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
      );
    const role = roles.find((one) => roleArn(one) === RoleArn);
    const principal = callingRole ? roleArn(callingRole) : caller.arn;
    const isTrusted =
      role?.trust !== undefined &&
      principal.startsWith(role.trust.principals) &&
      ExternalId === role.trust.externalId;
    if (!isTrusted || revoked.has(role))
      throw new StsError('AccessDenied', denied(caller, 'sts:AssumeRole', RoleArn).message, 403);
    const session = begin(role, RoleSessionName, Math.min(DurationSeconds, longestSeconds));
    assumed.push(session);
    return {
      AssumedRoleUser: { Arn: sessionArn(session), AssumedRoleId: `AROA${role.account}:${session.name}` },
      Credentials: {
        AccessKeyId: session.accessKeyId,
        SecretAccessKey: session.secretAccessKey,
        SessionToken: session.sessionToken,
        Expiration: new Date(session.expiresAtMs).toISOString(),
      },
    };
  };
  const answerTo = (
    { Action: action = '', ...input }: Readonly<Record<string, string>>,
    signature: Signature,
  ) => {
    const caller = callers(signature);
    const refusal = caller.refusal(`sts:${action}`);
    const needsNoPermission = action === 'GetCallerIdentity' && refusal?.reason === 'denied';
    if (refusal && !needsNoPermission) throw unauthorized(refusal);
    if (action === 'AssumeRole') return assumeRole(input, caller, sessions.get(signature.accessKeyId)?.role);
    if (action === 'GetCallerIdentity')
      return { Arn: caller.arn, UserId: signature.accessKeyId, Account: caller.account };
    throw new StsError('InvalidAction', `Could not find operation ${action} for version 2011-06-15`, 400);
  };

  const app = new Hono();
  app.post('/', async ({ req }) => {
    const form = Object.fromEntries(new URLSearchParams(await req.text()));
    try {
      return xml(200, `${form.Action}Response`, {
        [`${form.Action}Result`]: answerTo(
          form,
          signatureOf((name) => req.header(name)),
        ),
        ResponseMetadata: { RequestId: randomUUID() },
      });
    } catch (error) {
      const {
        code: Code,
        message: Message,
        status,
      } = error instanceof StsError ? error : invalid(reasonOf(error));
      const Type = status < 500 ? 'Sender' : 'Receiver';
      return xml(status, 'ErrorResponse', { Error: { Type, Code, Message }, RequestId: randomUUID() });
    }
  });
  return {
    ...(await serve(app.fetch, port)),
    callers,
    credentialsOf: (role, sessionName) => begin(roleOf(role), sessionName, Number.POSITIVE_INFINITY),
    revoke: (role) => void revoked.add(roleOf(role)),
    grant: (role) => void revoked.delete(roleOf(role)),
    limitSessions: (seconds) => {
      longestSeconds = seconds;
    },
    assumed: () => assumed,
  };
};

/** An error that STS answers. @see https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html */
class StsError extends Error {
  override name = 'StsError' as const;
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const invalid = (message: string): StsError => new StsError('ValidationError', message, 400);

const unauthorized = ({ reason, message }: Refusal): StsError =>
  new StsError(
    { denied: 'AccessDenied', expired: 'ExpiredToken', unknown: 'InvalidClientTokenId' }[reason],
    message,
    403,
  );

const AssumeRole = z.object({
  RoleArn: z.string().min(20).max(2048),
  RoleSessionName: z.string().regex(/^[\w+=,.@-]{2,64}$/),
  DurationSeconds: z.coerce.number().int().min(900).max(43_200).default(chainedSeconds),
  ExternalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/)
    .optional(),
});

export const roleArn = ({ account, path, name }: Pick<Role, 'account' | 'path' | 'name'>): string =>
  `arn:aws:iam::${account}:role${path}${name}`;

/** It has the role's name without the path. */
const sessionArn = ({ role, name }: Pick<Session, 'role' | 'name'>): string =>
  `arn:aws:sts::${role.account}:assumed-role/${role.name}/${name}`;

/** The access key says to people whose it is. */
const newCredentials = ({ account, name }: Role): SessionCredentials => ({
  accessKeyId: `${sessionKeyPrefix}-${account}-${name}-${randomBytes(4).toString('hex')}`,
  secretAccessKey: randomBytes(20).toString('hex'),
  sessionToken: randomBytes(32).toString('hex'),
});

const denied = ({ arn }: Pick<Caller, 'arn'>, action: string, resource?: string): Refusal => ({
  reason: 'denied',
  message: `User: ${arn} is not authorized to perform: ${action}${resource === undefined ? '' : ` on resource: ${resource}`}`,
});

const unknownCaller: Caller = {
  ...{ account: '000000000000', arn: 'unknown', isService: false },
  refusal: () => ({ reason: 'unknown', message: 'The security token included in the request is invalid.' }),
};

/** Whether an action of a policy, in which `*` is any text, matches an action. */
const isMatch = (pattern: string, action: string): boolean =>
  new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(action);

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@' });

const xml = (status: number, element: string, content: object): Response => {
  const document = { [element]: { '@xmlns': 'https://sts.amazonaws.com/doc/2011-06-15/', ...content } };
  return new Response(builder.build(document), { status, headers: { 'content-type': 'text/xml' } });
};
