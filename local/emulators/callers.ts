/** Why a call is refused. `unknown`: no such access key. */
export type Refusal = { readonly reason: 'denied' | 'expired' | 'unknown'; readonly message: string };

/** Who signed a request. */
export type Caller = {
  readonly account: string;
  readonly arn: string;
  /** Whether it may put events whose source begins with `aws.`, as the services of AWS do. */
  readonly isService: boolean;
  /** undefined where the call is allowed. `action`: as in policies, such as `ec2:RunInstances`. */
  refusal(action: string): Refusal | undefined;
};

/** What the signature of a request names. Signatures are not checked. */
export type Signature = {
  readonly accessKeyId: string;
  readonly region: string;
  /** Of a session's credentials. */
  readonly sessionToken: string | undefined;
};

/** Finds the caller who signed a request. */
export type Callers = (signature: Signature) => Caller;

/** The account of the owner of this machine, unless an emulator is told another one. */
export const defaultAccount = '123456789012';

const allowed = { refusal: () => undefined };

/**
 * An access key of twelve digits is that of a user of this account, as in other emulators of AWS; `service-<account>` is AWS's services in
 * it. Any other key is the owner of this machine: a user of the home account. All of them may do everything, but only services may put events
 * in the name of a service.
 */
export const keyCallers =
  (homeAccount: string = defaultAccount): Callers =>
  ({ accessKeyId }) => {
    const [, service, account] = /^(service-)?(\d{12})$/.exec(accessKeyId) ?? [];
    return { ...userOf(account ?? homeAccount), isService: service !== undefined };
  };

const userOf = (account: string) => ({ ...allowed, account, arn: `arn:aws:iam::${account}:user/local` });

/** The access key with which the emulated services of an account sign, see `keyCallers`. */
export const serviceKey = (account: string): string => `service-${account}`;

/**
 * The signature of a request, whatever the service, by its headers; the region of an unsigned one is us-east-1.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export const signatureOf = (header: (name: string) => string | undefined): Signature => {
  const [, accessKeyId = '', region = 'us-east-1'] =
    /Credential=([^,\s/]+)\/\d{8}\/([a-z0-9-]+)\/[a-z0-9-]+\/aws4_request/.exec(
      header('authorization') ?? '',
    ) ?? [];
  return { accessKeyId, region, sessionToken: header('x-amz-security-token') };
};

/** The code of a refusal in AWS's JSON and REST-JSON protocols. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html */
export const jsonErrorOf = ({ reason }: Refusal) =>
  (
    ({
      denied: 'AccessDeniedException',
      expired: 'ExpiredTokenException',
      unknown: 'UnrecognizedClientException',
    }) as const
  )[reason];
