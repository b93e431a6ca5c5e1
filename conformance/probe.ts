import { reasonOf } from './outcome.ts';
import type { Answer, Provider } from './provider.ts';

/**
 * Requests the health and the list once before any check, because without a provider each check would fail after its own timeout.
 * @throws Error in one sentence, after five seconds at most, where nothing answers, the answer is not a provider's, or it refuses the
 * credentials.
 */
export const probe = async (
  provider: Pick<Provider, 'call' | 'health' | 'collection' | 'needsToken'>,
  timeoutMs = 5_000,
): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs);
  const [health, list] = await Promise.allSettled([
    provider.health({ signal }),
    provider.call('GET', { signal }),
  ]);
  const where = provider.collection.href;

  if (health.status === 'rejected' && list.status === 'rejected')
    throw new Error(
      signal.aborted
        ? `the provider at ${where} accepted the connection and answered neither its health nor its list within ${timeoutMs / 1000} seconds`
        : `no provider answers at ${where}: ${reasonOf(list.reason)}`,
    );
  const [healthAnswer, listAnswer] = [answerOf(health), answerOf(list)];
  if (listAnswer?.status === 401 || listAnswer?.status === 403)
    throw new Error(
      provider.needsToken
        ? `the provider at ${where} refuses the credentials that it was given (${listAnswer.status})`
        : `the provider at ${where} asks for credentials (${listAnswer.status}): give --token, or put user and password into the URL`,
    );
  if (!isObjectWith(healthAnswer, isText) && !isObjectWith(listAnswer, Array.isArray))
    throw new Error(
      `what answers at ${where} is no DCM provider of this service type: GET /health was answered ${shown(healthAnswer)}, the list ${shown(listAnswer)}`,
    );
};

const answerOf = (settled: PromiseSettledResult<Answer>): Answer | undefined =>
  settled.status === 'fulfilled' ? settled.value : undefined;

/** Whether an answer is a JSON object with at least one such value, and not a problem. */
const isObjectWith = (answer: Answer | undefined, isMeant: (value: unknown) => boolean): boolean =>
  answer !== undefined &&
  !answer.contentType.startsWith('application/problem+json') &&
  answer.status !== 404 &&
  typeof answer.json === 'object' &&
  answer.json !== null &&
  !Array.isArray(answer.json) &&
  Object.values(answer.json).some(isMeant);

const isText = (value: unknown): boolean => typeof value === 'string';

const shown = (answer: Answer | undefined): string =>
  answer ? `${answer.status} ${answer.contentType}`.trim() : 'not at all';
