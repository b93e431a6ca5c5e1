export type Registration = {
  readonly method: string;
  readonly path: string;
  readonly id: string | undefined;
  readonly contentType: string;
  /** The body, where it is a JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** What it was answered. */
  readonly status: number;
};

/** Stands in for the control plane's registry, and writes down what it is sent. */
export type Registry = {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly registrations: readonly Registration[];
};

/** Refuses the first registration with 503, as a control plane that is starting does, and accepts all others. */
export const registry = (): Registry => {
  const registrations: Registration[] = [];
  return {
    registrations,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (request.method === 'GET') return Response.json({ providers: [] });
      const body = objectOf(await request.json().catch(() => undefined));
      const status = registrations.length === 0 ? 503 : 201;
      registrations.push({
        method: request.method,
        path: pathname,
        id: searchParams.get('id') ?? undefined,
        contentType: request.headers.get('content-type') ?? '',
        body,
        status,
      });
      if (status === 503) return Response.json({ type: 'UNAVAILABLE', title: 'starting' }, { status });
      const id = searchParams.get('id') ?? 'generated';
      return Response.json({ ...body, id, path: `providers/${id}`, health_status: 'ready' }, { status });
    },
  };
};

const objectOf = (json: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
