import type { EC2ClientConfig } from '@aws-sdk/client-ec2';
import { awsError } from './ec2-errors.ts';
import { patientRetries } from './patient-retries.ts';

type Connection = {
  readonly region: string;
  readonly maxAttempts: number;
  readonly retryStrategy: NonNullable<EC2ClientConfig['retryStrategy']>;
};

type Service<Sdk, Client> = {
  /** As people know it, such as `EC2`. */
  readonly name: string;
  /** At the first call: health and reads need none of it, and it is larger than all the rest of a function together. */
  readonly load: () => Promise<Sdk>;
  readonly connect: (sdk: Sdk, connection: Connection) => Client;
  /** Of all attempts of one call together. */
  readonly withinMs: number;
};

type Call<Sdk, Client, Answer> = (
  sdk: Sdk,
  client: Client,
  options: { readonly abortSignal: AbortSignal },
) => Promise<Answer>;

/** Calls of an AWS service in one region or another. `what` says what for, as in "run an instance". @throws ProviderError */
export type RegionalCalls<Sdk, Client> = <Answer>(
  region: string,
  what: string,
  call: Call<Sdk, Client, Answer>,
) => Promise<Answer>;

const attempts = 12;

/** One client a region, each call against the clock; what a client throws is translated. */
export const regionalCalls = <Sdk, Client>({
  name,
  load,
  connect,
  withinMs,
}: Service<Sdk, Client>): RegionalCalls<Sdk, Client> => {
  const clients = new Map<string, Client>();
  return async (region, what, call) => {
    const sdk = await load();
    const retryStrategy = patientRetries({ attempts });
    const client = clients.get(region) ?? connect(sdk, { region, maxAttempts: attempts, retryStrategy });
    clients.set(region, client);
    try {
      return await call(sdk, client, { abortSignal: AbortSignal.timeout(withinMs) });
    } catch (cause) {
      throw awsError(cause, { who: `${name} in ${region}`, what });
    }
  };
};
