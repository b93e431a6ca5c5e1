import { type Target, targetKey } from '../../core/target.ts';

type Service<Sdk, Client> = {
  /** At the first use: a client is larger than all the rest of a function together, and many invocations need none. */
  readonly load: () => Promise<Sdk>;
  /** At the first use in a target. */
  readonly connect: (sdk: Sdk, target: Target) => Client;
};

/** The clients of an AWS service, one for each target, with the SDK module that has their commands. */
export const clientsByTarget = <Sdk, Client>({ load, connect }: Service<Sdk, Client>) => {
  const clients = new Map<string, Client>();
  return async (target: Target): Promise<{ readonly sdk: Sdk; readonly client: Client }> => {
    const sdk = await load();
    const client = clients.get(targetKey(target)) ?? connect(sdk, target);
    clients.set(targetKey(target), client);
    return { sdk, client };
  };
};
