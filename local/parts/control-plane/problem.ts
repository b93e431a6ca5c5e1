/** An error as DCM's APIs answer it: RFC 9457, with a short word for the type. */
export const problem = (type: string, title: string, status: number, detail: string): Response =>
  Response.json(
    { type, title, status, detail },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
