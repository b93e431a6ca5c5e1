import { type Target, targetKey } from '../../core/target.ts';
import type { AwsAccounts, SessionCredentials } from './accounts.ts';

/** How a client reaches a target. Without `credentials` it has the function's own. */
export type Connection = { readonly region: string; readonly credentials?: SessionCredentials };

type Service<Sdk, Client> = {
  /** At the first use: a client is larger than all the rest of a function together, and many invocations need none. */
  readonly load: () => Promise<Sdk>;
  /** At the first use in a target. */
  readonly connect: (sdk: Sdk, connection: Connection) => Client;
  readonly accounts: AwsAccounts;
};

/**
 * The clients of an AWS service, one for each target, with the SDK module that has their commands. The client of another account is made
 * anew with each new session.
 * @throws as AwsAccounts.credentialsIn
 */
export const clientsByTarget = <Sdk, Client>({ load, connect, accounts }: Service<Sdk, Client>) => {
  type Connected = { readonly client: Client; readonly credentials: SessionCredentials | undefined };
  const clients = new Map<string, Connected>();

  const connected = (
    sdk: Sdk,
    { region }: Target,
    credentials: SessionCredentials | undefined,
  ): Connected => ({
    client: connect(sdk, { region, ...(credentials && { credentials }) }),
    credentials,
  });

  return async (target: Target): Promise<Connected & { readonly sdk: Sdk }> => {
    const [sdk, credentials] = await Promise.all([load(), accounts.credentialsIn(target)]);
    const held = clients.get(targetKey(target));
    const usable = held?.credentials === credentials ? held : undefined;
    const { client } = usable ?? connected(sdk, target, credentials);
    clients.set(targetKey(target), { client, credentials });
    return { sdk, client, credentials };
  };
};
