import { reasonOf, UnreadableError } from '../../shared/domain/errors.ts';
import type { ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { Registration } from '../../shared/ports/registrations.ts';
import { tokensOf } from '../../shared/wire/api-tokens.ts';
import type { Inspection } from '../../shared/wire/inspection.ts';
import { answerStack, type StackAnswer } from './answer-stack.ts';
import { inspectRows } from './inspect-rows.ts';
import { type Provider, type ProviderRow, providerRows } from './provider-rows.ts';
import { keepRowsRegistered, type Outcomes, type Parts as RowsParts, registerRows } from './register-rows.ts';
import { Request } from './request.ts';
import { withdrawRows } from './withdraw-rows.ts';

type Parts = RowsParts & {
  readonly registryOf: (row: ProviderRow) => Pick<ProviderRegistry, 'find' | 'register' | 'list'>;
  readonly provider: Provider;
  /** The text of the secret (shared/wire/api-tokens.ts) whose token goes into the endpoints; undefined: none does. */
  readonly secret: () => Promise<string | undefined>;
  /** A control plane of the older generation, from which rows can be withdrawn. */
  readonly controlPlane: Pick<ProviderRegistry, 'withdraw'> | undefined;
};

type Answer = StackAnswer | Inspection | { readonly rows: Readonly<Record<string, Registration>> };

/** Answers the schedule, people and CloudFormation. @throws UnreadableError for anything else. */
export const handleRequest = (parts: Parts) => {
  const rows = async () => providerRows(parts.provider, newestToken(await parts.secret()));
  const register = registerRows(parts);
  const keepRegistered = keepRowsRegistered(parts);
  const withdraw = withdrawRows(parts);
  const answer = answerStack({ rows, register, withdraw, log: parts.log });

  return async (given: unknown): Promise<Answer> => {
    const parsed = Request.safeParse(given);
    if (!parsed.success)
      throw new UnreadableError(`not a request to the registration: ${reasonOf(parsed.error)}`);
    const request = parsed.data;
    if ('RequestType' in request) return answer(request);
    if (request.do === 'keep-registered') return answered(await keepRegistered(await rows()));
    if (request.do === 'register') return answered(await register(await rows()));
    if (request.do === 'inspect') return inspectRows(parts, providerRows(parts.provider, undefined));
    await withdraw((await rows()).map(({ registration }) => registration.name));
    return { rows: {} };
  };
};

const newestToken = (secret: string | undefined) => (secret === undefined ? undefined : tokensOf(secret)[0]);

const answered = (outcomes: Outcomes) => ({ rows: Object.fromEntries(outcomes) });
