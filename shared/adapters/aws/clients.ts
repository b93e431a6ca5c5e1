type Service<Sdk, Client> = {
  /** At the first use: a client is larger than all the rest of a function together, and many an invocation needs none. */
  readonly load: () => Promise<Sdk>;
  /** At the first use in a region. */
  readonly connect: (sdk: Sdk, region: string) => Client;
};

/** The client of an AWS service in one region or another, one a region, with the SDK that its commands come from. */
export const regionalClients = <Sdk, Client>({ load, connect }: Service<Sdk, Client>) => {
  const clients = new Map<string, Client>();
  return async (region: string): Promise<{ readonly sdk: Sdk; readonly client: Client }> => {
    const sdk = await load();
    const client = clients.get(region) ?? connect(sdk, region);
    clients.set(region, client);
    return { sdk, client };
  };
};
