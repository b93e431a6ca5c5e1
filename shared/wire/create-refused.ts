import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../core/errors.ts';
import { ServiceType } from '../core/kind.ts';
import type { Target } from '../core/target.ts';
import { EventBridgeEvent } from './eventbridge.ts';
import { ownSource, refuseNewerMessage } from './own-messages.ts';

const detailType = 'VM Create Refused';

const CreateRefusedDetail = z.object({
  'vm-id': z.string(),
  /** Milliseconds since 1970. */
  'refused-at-ms': z.int(),
  /** Whether the caller's answer said that the same request can succeed later. */
  retryable: z.boolean(),
  reason: z.string(),
  'request-id': z.string(),
  /** Absent: vm, as in messages of earlier versions. */
  'service-type': z._default(ServiceType, 'vm'),
});

const CreateRefusedEvent = z.object({
  region: z.string(),
  /** Empty: the home account, also in messages of earlier versions. */
  account: z.string(),
  detail: CreateRefusedDetail,
});

/** A refused create: it has no resource, so no observation will report it. */
export type CreateRefused = Target & {
  readonly kind: 'create-refused';
  readonly serviceType: ServiceType;
  readonly dcmId: string;
  /** Milliseconds since 1970 on our clock. */
  readonly refusedAtMs: number;
  /** Whether the caller's answer said that the same request can succeed later. */
  readonly retryable: boolean;
  readonly reason: string;
  readonly requestId: string;
};

/** Our own kind of event, from the provider-api to the normaliser, which publishes FAILED where the create led to no resource. */
export const createRefusedEvent = ({
  serviceType = 'vm',
  dcmId,
  region,
  account = '',
  refusedAtMs,
  retryable,
  reason,
  requestId,
}: Omit<CreateRefused, 'kind' | 'serviceType'> &
  Partial<Pick<CreateRefused, 'serviceType'>>): EventBridgeEvent => ({
  version: '0',
  id: `${dcmId}:${refusedAtMs}:refused`,
  'detail-type': detailType,
  source: ownSource,
  account,
  time: new Date(refusedAtMs).toISOString(),
  region,
  resources: [],
  detail: {
    'vm-id': dcmId,
    'refused-at-ms': refusedAtMs,
    retryable,
    reason,
    'request-id': requestId,
    ...(serviceType !== 'vm' && { 'service-type': serviceType }),
  },
});

const Kind = z.object({ source: z.literal(ownSource), 'detail-type': z.literal(detailType) });

/**
 * The refused create in a message; undefined for every other message.
 * @throws UnreadableError where a message of this kind does not match the schema.
 */
export const createRefusedIn = (body: string): CreateRefused | undefined => {
  const message = jsonOf(body);
  if (!Kind.safeParse(message).success) return undefined;
  refuseNewerMessage(EventBridgeEvent.parse(message));
  try {
    const { region, account, detail } = CreateRefusedEvent.parse(message);
    const {
      'vm-id': dcmId,
      'refused-at-ms': refusedAtMs,
      retryable,
      reason,
      'request-id': requestId,
      'service-type': serviceType,
    } = detail;
    return {
      ...{ kind: 'create-refused', serviceType, dcmId, region, ...(account !== '' && { account }) },
      ...{ refusedAtMs, retryable, reason, requestId },
    };
  } catch (cause) {
    throw new UnreadableError(`the message is no "${detailType}": ${reasonOf(cause)}`, { cause });
  }
};

const jsonOf = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};
