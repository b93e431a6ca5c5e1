import type { EC2ClientConfig } from '@aws-sdk/client-ec2';
import { awsError } from './ec2-errors.ts';
import { patientRetries } from './patient-retries.ts';
import { regionalClients } from './regional-clients.ts';

type Connection = {
  readonly region: string;
  readonly maxAttempts: number;
  readonly retryStrategy: NonNullable<EC2ClientConfig['retryStrategy']>;
};

type Service<Sdk, Client> = {
  /** As people know it, such as `EC2`. */
  readonly name: string;
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

/** Each call against the clock; what a client throws is translated. */
export const regionalCalls = <Sdk, Client>({
  name,
  load,
  connect,
  withinMs,
}: Service<Sdk, Client>): RegionalCalls<Sdk, Client> => {
  const clientIn = regionalClients({
    load,
    connect: (sdk: Sdk, region) =>
      connect(sdk, { region, maxAttempts: attempts, retryStrategy: patientRetries({ attempts }) }),
  });
  return async (region, what, call) => {
    const { sdk, client } = await clientIn(region);
    try {
      return await call(sdk, client, { abortSignal: AbortSignal.timeout(withinMs) });
    } catch (cause) {
      throw awsError(cause, { who: `${name} in ${region}`, what });
    }
  };
};
