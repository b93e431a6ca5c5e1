import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/**
 * A web handler behind an API Gateway HTTP API, payload format 2.0. The gateway decodes the path, so characters that would begin a query or
 * a fragment are encoded again; invalid headers are left out, because Fetch would refuse the request.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export const httpApi =
  (handle: (request: Request, given: { readonly requestId: string }) => Response | Promise<Response>) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const { requestId } = event.requestContext;
    const response = await handle(requestOf(event), { requestId });
    const isText = !response.headers.has('content-encoding');
    return {
      statusCode: response.status,
      headers: Object.fromEntries(response.headers),
      body: isText ? await response.text() : Buffer.from(await response.arrayBuffer()).toString('base64'),
      isBase64Encoded: !isText,
    };
  };

const requestOf = (event: APIGatewayProxyEventV2): Request => {
  const { method } = event.requestContext.http;
  const url = new URL('https://provider-api');
  url.pathname = event.rawPath;
  url.search = event.rawQueryString;
  if (!forbiddenMethods.includes(method.toUpperCase()))
    return new Request(url, { method, headers: headersOf(event), ...bodyOf(event, method) });
  const request = new Request(url, { headers: headersOf(event) });
  return Object.defineProperty(request, 'method', { value: method });
};

/**
 * Methods that a Fetch request cannot have. They are answered with 405, like any other method that a path does not support.
 * @see https://fetch.spec.whatwg.org/#forbidden-method
 */
const forbiddenMethods: readonly string[] = ['CONNECT', 'TRACE', 'TRACK'];

const headersOf = ({ headers }: APIGatewayProxyEventV2): Headers =>
  new Headers(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? [[name, value]] : [],
    ),
  );

const bodyOf = ({ body, isBase64Encoded }: APIGatewayProxyEventV2, method: string): { body?: Buffer } =>
  body === undefined || method === 'GET' || method === 'HEAD'
    ? {}
    : { body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8') };
