/**
 * A request to a path below a provider's endpoint. Credentials in the endpoint's URL are sent as Basic authentication, as Go's clients do;
 * `fetch` would refuse such a URL.
 */
export const providerRequest = (
  endpoint: string,
  path: string,
  { headers: given, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
): Request => {
  const url = new URL(`${endpoint}${path}`);
  const headers = new Headers(given);
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set('authorization', `Basic ${btoa(credentials)}`);
    url.username = '';
    url.password = '';
  }
  return new Request(url, { ...init, headers });
};
