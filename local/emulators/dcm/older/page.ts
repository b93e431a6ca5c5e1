import * as z from 'zod';

export const PageSize = z.coerce
  .number()
  .int()
  .min(1, 'expected 1 to 100')
  .max(100, 'expected 1 to 100')
  .default(100);

/** An offset, in base64; an empty one is none. */
export const strictPageToken = z
  .string()
  .transform((token) => (token === '' ? 0 : Number(Buffer.from(token, 'base64').toString() || Number.NaN)))
  .pipe(z.int('invalid page_token').min(0, 'invalid page_token'))
  .default(0);

/** As at DCM's service-type instances, one that cannot be read is the first page. */
export const lenientPageToken = strictPageToken.catch(0);

/** Present where `found`, of which one more was asked for than the page holds, does not fit on it. */
export const nextPageToken = (
  found: number,
  { offset, limit }: { readonly offset: number; readonly limit: number },
) => (found > limit ? { next_page_token: btoa(String(offset + limit)) } : {});
