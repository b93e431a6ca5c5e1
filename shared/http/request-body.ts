import { InvalidArgumentError, ProviderError } from '../core/errors.ts';

/** DCM's largest spec is a few kilobytes. */
export const maximumBodyBytes = 1024 * 1024;

class PayloadTooLargeError extends ProviderError {
  override name = 'PayloadTooLargeError' as const;
  readonly code = 'payload-too-large';
  readonly retryable = false;
}

/**
 * The JSON of a request's body.
 * @throws InvalidArgumentError where it is empty, not UTF-8, malformed, or called something else; PayloadTooLargeError. It is not quoted: it may hold
 * user data.
 */
export const jsonBody = async (request: Request): Promise<unknown> => {
  const contentType = request.headers.get('content-type') ?? '';
  if (!/^application\/json *(;|$)/i.test(contentType))
    throw new InvalidArgumentError('content-type: expected application/json');
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > maximumBodyBytes)
    throw new PayloadTooLargeError(
      `body: expected at most ${maximumBodyBytes} bytes, got ${bytes.byteLength}`,
    );
  const text = decoded(bytes);
  if (text.trim() === '') throw new InvalidArgumentError('body: expected JSON, got nothing');
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('body: expected JSON, got something else');
  }
};

/** Without `fatal`, bytes that are no UTF-8 would become other characters than the caller's. */
const decoded = (bytes: ArrayBuffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidArgumentError('body: expected UTF-8');
  }
};
