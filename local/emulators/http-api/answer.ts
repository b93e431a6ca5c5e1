import * as z from 'zod';

const Structured = z.object({
  statusCode: z.int().min(200).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  cookies: z.array(z.string()).default([]),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

const withoutBody = [204, 205, 304];

/**
 * The response that an HTTP API makes of its function's answer, payload format 2.0. What is no such answer, but JSON, is the body of
 * a 200.
 */
export const httpApiResponse = (answer: unknown): Response => {
  const structured = Structured.safeParse(answer);
  if (!structured.success) return Response.json(answer);
  const { statusCode, headers: given, cookies, body, isBase64Encoded } = structured.data;
  const headers = new Headers(Object.entries(given).map(([name, value]) => [name, String(value)]));
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  const content = isBase64Encoded ? Buffer.from(body, 'base64') : body;
  return new Response(withoutBody.includes(statusCode) ? null : content, { status: statusCode, headers });
};
