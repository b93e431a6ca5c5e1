import * as z from 'zod';
import type { Region } from './region.ts';

/** The errors of EKS, by the status code that each is answered with. */
const statusOf = {
  AccessDeniedException: 403,
  ClientException: 400,
  ExpiredTokenException: 403,
  InvalidParameterException: 400,
  InvalidRequestException: 400,
  ResourceInUseException: 409,
  ResourceLimitExceededException: 400,
  ResourceNotFoundException: 404,
  ServerException: 500,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  UnrecognizedClientException: 403,
  UnsupportedAvailabilityZoneException: 400,
} as const;

export type ErrorCode = keyof typeof statusOf;

/** What an error concerns; the members are part of the answer. */
type Concerned = {
  readonly clusterName?: string;
  readonly nodegroupName?: string;
  readonly validZones?: readonly string[];
};

/** An error that EKS answers. @see https://docs.aws.amazon.com/eks/latest/APIReference/CommonErrors.html */
export class EksError extends Error {
  override name = 'EksError' as const;
  readonly code: ErrorCode;
  readonly status: number;
  readonly concerned: Concerned;

  constructor(code: ErrorCode, message: string, concerned: Concerned = {}) {
    super(message);
    this.code = code;
    this.status = statusOf[code];
    this.concerned = concerned;
  }
}

export const invalidParameter = (message: string, concerned: Concerned = {}): EksError =>
  new EksError('InvalidParameterException', message, concerned);

/** Answers one action; the input has the members of the path, the query and the body. @throws EksError */
export type Operation = (input: unknown, region: Region) => object;

export const operation =
  <Schema extends z.ZodType>(
    schema: Schema,
    answer: (request: z.output<Schema>, region: Region) => object,
  ): Operation =>
  (input, region) => {
    const { data, error } = schema.safeParse(input);
    if (error) throw invalidParameter(refusal(error));
    return answer(data, region);
  };

const refusal = ({ issues: [issue] }: z.ZodError): string =>
  `The parameter ${issue?.path.join('.')} is missing or invalid: ${issue?.message}`;

/** The members of a query are texts, and a list of one is a text. */
export const QueryFlag = z.enum(['true', 'false']).transform((value) => value === 'true');
export const QueryList = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
