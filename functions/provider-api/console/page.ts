import { brotliDecompressSync } from 'node:zlib';
import type { ConsolePage } from '../env.ts';

/**
 * The answer to a browser that asks for the page, which was compressed when it was built. The policy allows the page's own script and style,
 * and requests to the page's own origin, alone.
 * @see https://www.w3.org/TR/CSP3/
 */
export const consolePage =
  ({ brotli, policy }: ConsolePage) =>
  (acceptEncoding: string): Response => {
    const compressed = Buffer.from(brotli, 'base64');
    const isCompressed = /\bbr\b/.test(acceptEncoding);
    return new Response(isCompressed ? compressed : brotliDecompressSync(compressed), {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        ...(isCompressed && { 'content-encoding': 'br' }),
        'content-security-policy': policy,
        'referrer-policy': 'no-referrer',
        vary: 'accept-encoding',
        'x-content-type-options': 'nosniff',
      },
    });
  };
