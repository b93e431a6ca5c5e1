import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** What else a request is known by. */
export type Received = { readonly requestId: string; readonly at: Date; readonly body: Buffer };

/** What API Gateway hands over as text; all else in base64. */
const textual = /^(text\/|application\/(json|javascript|xml)\b|application\/[\w.-]+\+(json|xml)\b)/;

/**
 * The event that an HTTP API makes of a request for its Lambda integration, payload format 2.0: the path decoded, header names in lower
 * case, repeated ones joined by a comma.
 * @throws URIError where the path cannot be decoded.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export const httpApiEvent = (
  { method, url, headers }: Request,
  { requestId, at, body }: Received,
): APIGatewayProxyEventV2 => {
  const { pathname, search, searchParams, host, hostname } = new URL(url);
  const path = decodeURIComponent(pathname);
  const isText = textual.test(headers.get('content-type') ?? 'text/plain');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: search.slice(1),
    headers: { ...Object.fromEntries(headers), 'x-forwarded-proto': 'http' },
    ...(search !== '' && { queryStringParameters: Object.fromEntries(searchParams) }),
    requestContext: {
      accountId: '123456789012',
      apiId: 'local',
      domainName: host,
      domainPrefix: hostname,
      http: {
        method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers.get('user-agent') ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: at.toUTCString(),
      timeEpoch: at.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
};
