/**
 * The region that the signature of a request names, whatever the service; us-east-1 for an unsigned request. Signatures are not checked.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export const signedRegion = (authorization = ''): string =>
  /Credential=[^,\s]+\/\d{8}\/([a-z0-9-]+)\/[a-z0-9-]+\/aws4_request/.exec(authorization)?.[1] ?? 'us-east-1';
