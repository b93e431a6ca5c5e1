import { type AgentAuth, type BearerTokens, bearerTokens } from '../../shared/adapters/dcm/bearer-tokens.ts';
import { httpProviderRegistry } from '../../shared/adapters/http-provider-registry.ts';
import type { ReadSecret } from '../../shared/adapters/secrets/secrets-manager.ts';
import type { Registries, Registry } from './env.ts';

/** DCM's registries by HTTP. Tokens are kept as long as the function lives, and shared by registries with the same `auth`. */
export const httpRegistries = (registries: Registries, readSecret: ReadSecret) => {
  const held = new Map<string, BearerTokens>();
  const tokensOf = (auth: AgentAuth): BearerTokens => {
    const key = JSON.stringify(auth);
    const tokens = held.get(key) ?? bearerTokens(auth, readSecret);
    held.set(key, tokens);
    return tokens;
  };
  const clientOf = ({ url, auth }: Registry) => httpProviderRegistry(url, { tokens: auth && tokensOf(auth) });
  const older = Object.values(registries).find(({ kind }) => kind === 'control-plane');
  return {
    registryOf: ({ registry }: { readonly registry: Registry }) => clientOf(registry),
    controlPlane: older && clientOf(older),
  };
};
