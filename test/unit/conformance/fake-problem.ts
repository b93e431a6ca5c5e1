/** An RFC 9457 answer. */
export const problem = (status: number, detail: string): Response =>
  new Response(
    JSON.stringify({ type: 'https://dcm-project.github.io/problems/some', title: 'Refused', status, detail }),
    {
      status,
      headers: { 'content-type': 'application/problem+json' },
    },
  );
