import type { EC2ClientConfig, EC2ServiceException, __Client as SmithyClient } from '@aws-sdk/client-ec2';
import {
  ProviderError,
  RefusedRoleError,
  reasonOf,
  UnavailableError,
  UpstreamError,
} from '../../core/errors.ts';
import type { Target } from '../../core/target.ts';
import { type AwsAccounts, homeAccountAlone, type SessionCredentials } from './accounts.ts';
import { type Connection as AccountConnection, clientsByTarget } from './clients.ts';
import { awsError, codeOf, isRefusedCaller, isThrottling, UnsentRequestError } from './errors.ts';
import { quickRetries } from './quick-retries.ts';

type Connection = AccountConnection & {
  readonly maxAttempts: number;
  readonly retryStrategy: NonNullable<EC2ClientConfig['retryStrategy']>;
};

type Described = Pick<EC2ServiceException, '$metadata'>;

/** The part that the clients of all services have in common. */
type WithMiddleware<Input extends object, Output extends Described> = Pick<
  SmithyClient<never, Input, Output, never>,
  'middlewareStack'
>;

type Service<Sdk, Client, Input extends object, Output extends Described> = {
  /** For error messages, such as `EC2`. */
  readonly name: string;
  readonly load: () => Promise<Sdk>;
  readonly connect: (sdk: Sdk, connection: Connection) => Client & WithMiddleware<Input, Output>;
  /** Of all attempts of one call together. */
  readonly timeoutMs: number;
  /** @default the home account alone */
  readonly accounts?: AwsAccounts | undefined;
};

type Call<Sdk, Client, Answer> = (
  sdk: Sdk,
  client: Client,
  options: { readonly abortSignal: AbortSignal },
) => Promise<Answer>;

/** Calls of an AWS service by target. `what`: what the call is for, as in "run an instance". @throws ProviderError */
export type CallsByTarget<Sdk, Client> = <Answer>(
  target: Target,
  what: string,
  call: Call<Sdk, Client, Answer>,
) => Promise<Answer>;

const attempts = 12;

/** Gives each call a timeout and quick retries, and translates what the client throws. The call's own ProviderErrors are thrown as they are. */
export const callsByTarget = <Sdk, Client, Input extends object, Output extends Described>({
  name,
  load,
  connect,
  timeoutMs,
  accounts = homeAccountAlone,
}: Service<Sdk, Client, Input, Output>): CallsByTarget<Sdk, Client> => {
  const clientOf = clientsByTarget({
    ...{ load, accounts },
    connect: (sdk: Sdk, connection) => {
      const client = connect(sdk, {
        ...connection,
        maxAttempts: attempts,
        retryStrategy: quickRetries({ attempts }),
      });
      markUnsent(client);
      return client;
    },
  });
  const inSession = inSessions(accounts);
  return async (target, what, call) => {
    const where = `${name} in ${accounts.nameOf(target)}`;
    const connect = () =>
      clientOf(target).catch((cause: unknown) => {
        if (!(cause instanceof RefusedRoleError)) throw cause;
        throw new RefusedRoleError(`${where} was not asked to ${what}: ${cause.message}`, { cause });
      });
    try {
      return await inSession(target, {
        connect,
        call: (sdk, client) => call(sdk, client, { abortSignal: AbortSignal.timeout(timeoutMs) }),
      });
    } catch (cause) {
      if (cause instanceof ProviderError) throw cause;
      throw awsError(cause, { who: where, what });
    }
  };
};

type Session<Sdk, Client> = {
  readonly sdk: Sdk;
  readonly client: Client;
  /** Undefined in the home account. */
  readonly credentials: SessionCredentials | undefined;
};
type InSession<Sdk, Client, Answer> = {
  readonly connect: () => Promise<Session<Sdk, Client>>;
  readonly call: (sdk: Sdk, client: Client) => Promise<Answer>;
};

/**
 * Calls in a session of the target's account, and once more in a new one where a session that has worked is refused: an administrator may
 * have ended it. AWS does not carry out a call that it refuses for its caller.
 */
const inSessions = (accounts: Pick<AwsAccounts, 'refused'>) => {
  const worked = new WeakSet<SessionCredentials>();

  const inSession = async <Sdk, Client, Answer>(
    target: Target,
    { connect, call }: InSession<Sdk, Client, Answer>,
    isRepeated = false,
  ): Promise<Answer> => {
    const { sdk, client, credentials } = await connect();
    try {
      const answer = await call(sdk, client);
      if (credentials) worked.add(credentials);
      return answer;
    } catch (cause) {
      if (!isRefusedCaller(cause)) throw cause;
      accounts.refused(target);
      if (isRepeated || credentials === undefined || !worked.has(credentials)) throw cause;
    }
    return inSession(target, { connect, call }, true);
  };
  return inSession;
};

/**
 * Makes a client throw UnsentRequestError where no attempt of a request reached the network, because its input could not be serialised or
 * the request could not be signed. The middleware of lowest priority in the last step runs directly before the HTTP handler.
 * @see https://aws.amazon.com/blogs/developer/middleware-stack-modular-aws-sdk-js/
 */
const markUnsent = <Input extends object, Output extends Described>({
  middlewareStack,
}: WithMiddleware<Input, Output>): void => {
  middlewareStack.add(
    (next, context) => async (input) => {
      try {
        return await next(input);
      } catch (cause) {
        throw context.wasSent === true || isTimeout(cause) ? cause : new UnsentRequestError(cause);
      }
    },
    { step: 'initialize', priority: 'high', name: 'markUnsentRequest' },
  );
  middlewareStack.add(
    (next, context) => (input) => {
      context.wasSent = true;
      return next(input);
    },
    { step: 'deserialize', priority: 'low', name: 'noteSentRequest' },
  );
};

/** The timeout passed before the request was sent; the next attempt may be faster. */
const isTimeout = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');

type Reading<Sdk, Client> = {
  /** For error messages, such as `EC2`. */
  readonly name: string;
  readonly load: () => Promise<Sdk>;
  readonly connect: (sdk: Sdk, connection: AccountConnection & { readonly maxAttempts: number }) => Client;
  /** @default the home account alone */
  readonly accounts?: AwsAccounts | undefined;
};

type Read<Sdk, Client, Answer> = (sdk: Sdk, client: Client, abortSignal: AbortSignal) => Promise<Answer>;

/** `what`: what the call is for, as in "list a page of instances". */
type Asked = { readonly target: Target; readonly timeoutMs: number; readonly what: string };

/**
 * Reads of an AWS service by target, for callers that ask again later: two attempts at each call, unless `connect` sets others, and one timeout for all calls of a read. The session in
 * another account, an hour at a time, is got before and has a timeout of its own.
 * @throws UpstreamError where the service answered with an error of its own; UnavailableError else.
 */
export const readsByTarget = <Sdk, Client>({
  name,
  load,
  connect: connectTo,
  accounts = homeAccountAlone,
}: Reading<Sdk, Client>) => {
  const clientOf = clientsByTarget({
    ...{ load, accounts },
    connect: (sdk: Sdk, connection) => connectTo(sdk, { ...connection, maxAttempts: 2 }),
  });
  const inSession = inSessions(accounts);

  return async <Answer>(
    { target, timeoutMs, what }: Asked,
    read: Read<Sdk, Client, Answer>,
  ): Promise<Answer> => {
    const where = `${name} in ${accounts.nameOf(target)}`;
    const connect = () =>
      clientOf(target).catch((cause: unknown) => {
        throw new UnavailableError(`${where} was not asked to ${what}: ${reasonOf(cause)}`, { cause });
      });
    try {
      return await inSession(target, {
        connect,
        call: (sdk, client) => read(sdk, client, AbortSignal.timeout(timeoutMs)),
      });
    } catch (cause) {
      if (cause instanceof UnavailableError) throw cause;
      if (isServerError(cause))
        throw new UpstreamError(`${where} did not ${what}: ${codeOf(cause)}`, { cause });
      throw new UnavailableError(`${where} did not ${what} within ${timeoutMs} ms`, { cause });
    }
  };
};

/** The service answered with an error of its own: not throttling, and no fault of the request. */
export const isServerError = (error: unknown): boolean =>
  error instanceof Error &&
  '$fault' in error &&
  (statusIn(error) ?? 0) >= 500 &&
  !isThrottling(codeOf(error));

const statusIn = (error: object): number | undefined => {
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return typeof status === 'number' ? status : undefined;
};
