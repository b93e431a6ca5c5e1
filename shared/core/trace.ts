const offset = 0x6c62272e07bb014262b821756295c58dn;
const prime = 0x1000000000000000000013bn;
const mask = (1n << 128n) - 1n;

/** FNV-1a of 128 bits, as 32 hexadecimal digits. @see https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
export const fnv1a = (text: string): string => {
  let hash = offset;
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * prime) & mask;
  return hash.toString(16).padStart(32, '0');
};

/**
 * The id of the trace of a change: the same in log lines and in the CloudEvent, at every attempt and in every republication. It is made of
 * what every part knows of the change, the resource and its place among the changes, so nothing has to carry or to store it.
 * `key`: of a status (core/gate.ts).
 */
export const traceIdOf = (resourceId: string, key: string): string =>
  fnv1a(`${resourceId} ${key.split('-', 1)[0]}`);

/**
 * W3C's `traceparent` of a status: its publication is a span of its change's trace.
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export const traceparentOf = (
  resourceId: string,
  { id, key }: { readonly id: string; readonly key: string },
): string => `00-${traceIdOf(resourceId, key)}-${fnv1a(id).slice(0, 16)}-01`;
