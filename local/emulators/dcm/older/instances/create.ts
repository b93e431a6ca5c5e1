import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  reasonOf,
  UnprocessableError,
} from '../../../../../shared/core/errors.ts';
import type { ProviderClient } from '../provider-client.ts';
import type { Provider } from '../providers/provider.ts';
import type { Registry } from '../providers/registry.ts';
import type { Row, Rows, Spec } from '../rows.ts';

export type DispatchParts = {
  readonly rows: Rows;
  readonly registry: Pick<Registry, 'byName' | 'list'>;
  readonly client: Pick<ProviderClient, 'create' | 'delete'>;
};

export type Wanted = {
  /** @default a new UUID */
  readonly id?: string | undefined;
  /** Left out: the first ready provider of the spec's service type, for here is no placement that would choose one. */
  readonly providerName?: string | undefined;
  readonly spec: Spec;
};

/**
 * Has a provider create an instance, as DCM does: the row is there before the provider is asked, so that no status event comes too early,
 * and is gone again where the provider refuses.
 * @throws NotFoundError, InvalidArgumentError, FailedPreconditionError (the id is taken), UnprocessableError (the provider is not ready, or refused)
 */
export const createInstance =
  ({ rows, registry, client }: DispatchParts) =>
  async ({ id = randomUUID(), providerName, spec }: Wanted): Promise<Row> => {
    const provider = await chosen(registry, providerName, spec);
    if (provider.status !== 'ready')
      throw new UnprocessableError(
        `provider '${provider.name}' is not in ready state (current status: ${provider.status})`,
      );
    if ((await rows.get(id)) !== undefined)
      throw new FailedPreconditionError(`instance with ID '${id}' already exists`);
    const asked = { id, providerName: provider.name, serviceType: serviceTypeOf(spec), spec };
    const added = await rows.add({ ...asked, instanceName: nameIn(spec) });
    try {
      await rows.settle(id, await client.create(provider.endpoint, id, spec));
    } catch (error) {
      await rows.remove(id);
      throw new UnprocessableError(`Error from Provider (${provider.name}): ${reasonOf(error)}`, {
        cause: error,
      });
    }
    return (await rows.get(id)) ?? added;
  };

const chosen = async (
  registry: DispatchParts['registry'],
  name: string | undefined,
  spec: Spec,
): Promise<Provider> => {
  if (name !== undefined) {
    const provider = await registry.byName(name);
    if (provider === undefined) throw new NotFoundError(`provider '${name}' not found`);
    return provider;
  }
  const serviceType = serviceTypeOf(spec);
  const candidates = await registry.list({ serviceType });
  const provider = candidates.find(({ status }) => status === 'ready') ?? candidates[0];
  if (provider === undefined) throw new NotFoundError(`no provider of service type '${serviceType}'`);
  return provider;
};

const serviceTypeOf = ({ service_type: serviceType }: Spec): string => {
  if (typeof serviceType !== 'string')
    throw new InvalidArgumentError('spec.service_type is required and must be a string');
  if (serviceType.trim() === '') throw new InvalidArgumentError('spec.service_type must not be empty');
  return serviceType;
};

const Named = z.object({ metadata: z.object({ name: z.string() }) });
const nameIn = (spec: Spec): string => Named.safeParse(spec).data?.metadata.name ?? '';
