export type Answer = {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** undefined where the text is not JSON. */
  readonly json: unknown;
  readonly tookMs: number;
};

export type Call = {
  /** Below the collection, with its leading slash or question mark. @default '' */
  readonly path?: string;
  /** Another path than the collection's, on the same host. */
  readonly base?: string;
  /** A text is sent unchanged, an object as JSON. */
  readonly body?: string | object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The Authorization header instead of the token; '' sends none. */
  readonly authorization?: string;
  readonly signal?: AbortSignal;
};

export type Provider = {
  /** The collection's URL, without credentials. */
  readonly collection: URL;
  readonly needsToken: boolean;
  call(method: string, call?: Call): Promise<Answer>;
  /** Sends a create, and records the resource for `cleanUp`. */
  create(id: string | undefined, body: Call['body'], call?: Call): Promise<Answer>;
  /** Records a resource for `cleanUp`, where a create may have created it and its id is not in the create's URL. */
  remember(id: string): void;
  read(id: string, call?: Call): Promise<Answer>;
  remove(id: string, call?: Call): Promise<Answer>;
  /** Without credentials, as DCM's health checks ask. */
  health(call?: Call): Promise<Answer>;
  /** Deletes the created resources that were not deleted. @returns the ids that may be left */
  cleanUp(): Promise<string[]>;
};

type Parts = {
  readonly url: URL;
  /** A bearer token. Credentials in the URL are sent as Basic. */
  readonly token?: string | undefined;
  readonly fetch: typeof fetch;
  readonly now: () => number;
};

/** Longer than DCM's timeouts; its older control plane gives up after 30 seconds. */
const timeoutMs = 35_000;

/** Calls a provider as DCM does. */
export const provider = ({ url, token, fetch, now }: Parts): Provider => {
  const collection = new URL(url);
  collection.username = '';
  collection.password = '';
  const authorization = token ? `Bearer ${token}` : basic(url);
  const created = new Set<string>();

  const call: Provider['call'] = async (method, options = {}) => {
    const { path = '', base = collection.pathname, body, headers, signal } = options;
    const sent = options.authorization ?? authorization;
    const startedAt = now();
    const response = await fetch(`${collection.origin}${base}${path}`, {
      method,
      redirect: 'manual',
      signal: signal ?? AbortSignal.timeout(timeoutMs),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(sent && { authorization: sent }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const contentType = response.headers.get('content-type') ?? '';
    return { status: response.status, contentType, text, json: jsonOf(text), tookMs: now() - startedAt };
  };

  const remove: Provider['remove'] = async (id, options) => {
    const answer = await call('DELETE', { path: pathOf(id), ...options });
    if (answer.status < 300 || answer.status === 404) created.delete(id);
    return answer;
  };

  return {
    collection,
    needsToken: authorization !== '',
    call,
    read: (id, options) => call('GET', { path: pathOf(id), ...options }),
    remove,
    health: (options) => call('GET', { path: '/health', authorization: '', ...options }),
    remember: (id) => void created.add(id),
    async create(id, body, options) {
      const path = id === undefined ? '' : `?id=${encodeURIComponent(id)}`;
      const isNew = id !== undefined && !created.has(id);
      if (isNew) created.add(id); // without an answer the resource may exist too
      const answer = await call('POST', { path, body: body ?? '', ...options });
      const made = idOf(answer.json);
      if (answer.status < 300 && made !== undefined) created.add(made);
      else if (isNew && answer.status >= 400 && answer.status < 500) created.delete(id);
      return answer;
    },
    async cleanUp() {
      const removals = [...created].map((id) => remove(id).catch(() => undefined));
      await Promise.all(removals);
      return [...created];
    },
  };
};

const pathOf = (id: string): string => `/${encodeURIComponent(id)}`;

const basic = ({ username, password }: URL): string => {
  if (username === '') return '';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The `id` of a resource. */
export const idOf = (json: unknown): string | undefined =>
  typeof json === 'object' && json !== null && 'id' in json && typeof json.id === 'string'
    ? json.id
    : undefined;

/** The URL of a collection, without a trailing slash. `url` is the collection's own URL, or one below which the API is. */
export const collectionUrl = (url: string, collection: string): URL => {
  const given = new URL(url);
  const path = given.pathname.replace(/\/+$/, '');
  if (path.endsWith('/api/v1alpha1')) given.pathname = `${path}/${collection}`;
  else given.pathname = path.includes('/api/v1alpha1/') ? path : `${path}/api/v1alpha1/${collection}`;
  return given;
};
