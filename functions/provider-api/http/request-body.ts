import { InvalidArgumentError, ProviderError } from '../../../shared/domain/errors.ts';

/** DCM's largest spec is a few kilobytes. */
export const maximumBodyBytes = 1024 * 1024;

class PayloadTooLargeError extends ProviderError {
  override name = 'PayloadTooLargeError' as const;
  readonly code = 'payload-too-large';
  readonly retryable = false;
}

/**
 * The JSON of a request's body.
 * @throws InvalidArgumentError where it is empty, malformed, or called something else; PayloadTooLargeError. It is not quoted: it may hold
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
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') throw new InvalidArgumentError('body: expected JSON, got nothing');
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('body: expected JSON, got something else');
  }
};
