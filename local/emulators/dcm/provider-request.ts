/**
 * A request to something below a provider's endpoint. Credentials in the endpoint's URL become Basic, as Go's clients do it; `fetch`
 * refuses such a URL.
 */
export const requestBelow = (
  endpoint: string,
  more: string,
  { headers: given, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
): Request => {
  const url = new URL(`${endpoint}${more}`);
  const headers = new Headers(given);
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set('authorization', `Basic ${btoa(credentials)}`);
    url.username = '';
    url.password = '';
  }
  return new Request(url, { ...init, headers });
};
