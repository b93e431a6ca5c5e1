import { UnavailableError } from '../../shared/core/errors.ts';
import type { Kind } from '../../shared/core/kind.ts';
import type { ResourceMessage } from '../../shared/core/message.ts';
import { type Creation, failureDueMs, hasEnded, isLaunched } from '../../shared/core/record.ts';
import { messageText, type UnpublishedStatus } from '../../shared/core/resource.ts';
import { targetOfKey } from '../../shared/core/target.ts';
import type { Clock, RandomPart } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Retries } from '../../shared/ports/retries.ts';
import { type ServedType, servedTypeOf } from '../../shared/ports/served-type.ts';
import type { StatusBus } from '../../shared/ports/status-bus.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';
import { type CreateRefused, createRefusedEvent, createRefusedIn } from '../../shared/wire/create-refused.ts';
import { statusEvent } from '../../shared/wire/dcm-status.ts';
import type { Message } from './read-message.ts';

/** The maximum delay of an SQS message. */
const longestDelaySeconds = 900;

type Parts = {
  readonly types: readonly ServedType[];
  readonly resourceStore: Pick<ResourceStore, 'read'>;
  readonly observations: Observations;
  readonly publisher: StatusPublisher;
  readonly bus?: StatusBus | undefined;
  readonly retries: Pick<Retries, 'deadLetter'>;
  readonly provider: string;
  /** Id of the account of targets that name none. */
  readonly homeAccount?: string | undefined;
  readonly randomPart: RandomPart;
  readonly now: Clock;
};

type QueueMessage = ResourceMessage | CreateRefused;
type AnyMessage = Omit<Message, 'resourceMessages'> & { readonly resourceMessages: readonly QueueMessage[] };
type Handle<One> = (messages: readonly One[]) => Promise<ReadonlyMap<string, unknown>>;

/** Reads a message of the observations queue, including refused creates. */
export const readRefusals =
  (read: (body: string) => ResourceMessage[]) =>
  (body: string): QueueMessage[] => {
    const refused = createRefusedIn(body);
    return refused ? [refused] : read(body);
  };

/**
 * Publishes FAILED for refused creates that led to no resource; `others` handles all other messages. The status is kept in the record of the DCM
 * id until the stream has acknowledged it: published at least once, under one id, and once for all refusals until the next attempt.
 *
 * Never for a living resource, so that a refused create cannot fail it, nor for an id that DCM has deleted since. A retryable refusal waits until
 * three minutes after the newest attempt.
 * @returns why SQS must redeliver messages, by message id.
 */
export const reportRefusals = (parts: Parts, others: Handle<Message>): Handle<AnyMessage> => {
  const { types, resourceStore, observations, publisher, bus, retries, randomPart, now } = parts;
  const { provider, homeAccount } = parts;

  return async (messages) => {
    const failed = new Map<string, unknown>();
    const rest: Message[] = [];
    const report = async ({ messageId, resourceMessages, ...message }: AnyMessage) => {
      const refused = resourceMessages.filter(isRefusal);
      if (refused.length === 0) {
        rest.push({
          messageId,
          ...message,
          resourceMessages: resourceMessages.filter((resourceMessage) => !isRefusal(resourceMessage)),
        });
        return;
      }
      try {
        for (const one of refused) await settle(one, message.isRetry);
      } catch (error) {
        failed.set(messageId, error);
      }
    };
    const reports = Promise.all(messages.map(report)); // fills `rest` before the first await
    const handled = rest.length > 0 ? await others(rest) : new Map<string, unknown>();
    await reports;
    return new Map([...handled, ...failed]);
  };

  /** A status that the stream has acknowledged and the bus has not taken is put there again by the next delivery of the message. */
  async function settle(refused: CreateRefused, isRetry: boolean): Promise<void> {
    const { kind, records } = servedTypeOf(types, refused);
    if (records === undefined) return;
    const creation = await records.creation(refused.dcmId, refused);
    if (await isObsolete(refused, creation)) return;
    const { failure } = creation;
    if (failure?.isPublished) {
      if (isRetry) await forward(kind, refused, failure.status);
      return;
    }
    await publishFailure(refused, creation);
  }

  async function publishFailure(refused: CreateRefused, creation: Creation): Promise<void> {
    const { kind, records } = servedTypeOf(types, refused);
    if (records === undefined) return;
    const { failure } = creation;
    const waitMs = failureDueMs(refused, creation, now()) - now();
    if (failure === undefined && waitMs > 0) return postpone(refused, waitMs);
    const kept = failure?.status ?? (await records.fail(refused.dcmId, creation, statusOf(refused)));
    if (kept === undefined)
      throw new UnavailableError(`the record of ${refused.dcmId} changed while its failure was recorded`);
    await publish(kind, refused, kept);
    await records.failurePublished(refused.dcmId, kept.id);
    await forward(kind, refused, kept);
  }

  async function forward(kind: Kind, refused: CreateRefused, status: UnpublishedStatus) {
    const { dcmId, region, account } = refused;
    const event = eventOf(kind, refused, status);
    const taken = await bus?.put([{ event, target: { region, account } }]);
    if (taken?.has(event.id) === false)
      throw new UnavailableError(`the status bus did not take the status FAILED of ${dcmId}`);
  }

  async function isObsolete({ refusedAtMs, account }: CreateRefused, creation: Creation): Promise<boolean> {
    const { record, deletedAtMs = Number.NEGATIVE_INFINITY } = creation;
    if (deletedAtMs >= refusedAtMs || record?.deleteRequestedAtMs !== undefined) return true;
    if (record === undefined) return false;
    if (targetOfKey(record.region).account !== account) return true; // the id is another account's
    if (!isLaunched(record)) return false;
    const held = (await resourceStore.read([record.resourceId])).get(record.resourceId);
    return !hasEnded(record, held ?? { owner: 'unknown' }, now());
  }

  async function postpone(refused: CreateRefused, waitMs: number): Promise<void> {
    const seconds = Math.min(Math.ceil(waitMs / 1000), longestDelaySeconds);
    await observations.send([createRefusedEvent(refused)], seconds);
  }

  function statusOf({ dcmId, refusedAtMs, reason, requestId }: CreateRefused): UnpublishedStatus {
    const at = Math.floor(refusedAtMs / 1000);
    return {
      key: String(at * 10),
      id: `${dcmId}:${at}:${randomPart()}:launch-failed`,
      at,
      status: 'FAILED',
      message: messageText(`it could not be launched: ${reason}`),
      requestId,
    };
  }

  function eventOf(
    kind: Kind,
    { dcmId, region, account = homeAccount }: CreateRefused,
    status: UnpublishedStatus,
  ): CloudEventJson {
    const of = { kind, dcmId, region, ...(account !== undefined && { account }) };
    return statusEvent(of, status, provider);
  }

  async function publish(kind: Kind, refused: CreateRefused, status: UnpublishedStatus) {
    const { dcmId } = refused;
    const event = eventOf(kind, refused, status);
    const { acknowledged, failed } = await publisher.publish([event]);
    const [refusal] = failed;
    if (acknowledged.length === 0 && refusal?.retryable !== false)
      throw new UnavailableError(
        `NATS did not acknowledge the status FAILED of ${dcmId}: ${refusal?.reason ?? 'no answer'}`,
      );
    if (acknowledged.length === 0) await retries.deadLetter(JSON.stringify(event), refusal?.reason ?? '');
  }
};

const isRefusal = (resourceMessage: QueueMessage): resourceMessage is CreateRefused =>
  resourceMessage.kind === 'create-refused';
