import { reasonOf, UnreadableError } from '../../shared/core/errors.ts';
import { clamped } from '../../shared/core/gate.ts';
import type { ResourceMessage } from '../../shared/core/message.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { eventKindOf } from '../../shared/service-types/vm/events/registry.ts';
import { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { ownSource, refuseNewerMessage } from '../../shared/wire/own-messages.ts';

type Parts = {
  /** The regions whose instances are reported. */
  readonly regions: readonly string[];
  /** Id of the account whose instances are reported; undefined: of any. */
  readonly account?: string | undefined;
  readonly now: Clock;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * What a message of the observations queue tells about which instances; nothing, for a kind of event that is not in the registry, for one
 * of another account, and for an event of AWS about a region that is not reported. Our own messages pass: what a region that was reported left unpublished is published.
 * @throws UnreadableError where it is not an EventBridge event, or not as AWS documents its kind; UnavailableError where it is a message of
 * our own in a newer format.
 */
export const readMessage =
  ({ regions, account, now, log, meter }: Parts) =>
  (body: string): ResourceMessage[] => {
    const event = envelope(body);
    refuseNewerMessage(event);
    if (account !== undefined && event.account !== account) return dropForeign(event);
    const kind = eventKindOf(event);
    if (!kind) {
      meter.count('unknownEvent');
      log.warn('dropped an event of a kind that is not handled', {
        source: event.source,
        detailType: event['detail-type'],
      });
      return [];
    }
    try {
      const resourceMessages = kind
        .toMessages(event)
        .map((resourceMessage) => ({ ...resourceMessage, at: clamped(resourceMessage.at, now()) }));
      const reported = event.source === ownSource ? resourceMessages : resourceMessages.filter(isReported);
      for (const resourceMessage of reported) warnOfUnknownState(resourceMessage);
      return reported;
    } catch (cause) {
      throw new UnreadableError(`event ${event.id} is no "${kind.detailType}": ${reasonOf(cause)}`, {
        cause,
      });
    }

    function dropForeign({
      source,
      'detail-type': detailType,
      account: foreign,
    }: EventBridgeEvent): ResourceMessage[] {
      meter.count('foreignAccount');
      log.warn('dropped an event of another AWS account', { source, detailType, account: foreign });
      return [];
    }

    function isReported({ region, resourceId }: ResourceMessage): boolean {
      if (regions.includes(region)) return true;
      meter.count('unreportedRegion');
      log.info('dropped an event about a region that is not reported', { region, resourceId });
      return false;
    }

    function warnOfUnknownState(resourceMessage: ResourceMessage) {
      if (resourceMessage.kind !== 'observation' || resourceMessage.unrecognised === undefined) return;
      meter.count('unknownState');
      log.warn('EC2 reported a state that is not known; it is taken as the nearest active one', {
        resourceId: resourceMessage.resourceId,
        state: resourceMessage.unrecognised,
        takenAs: resourceMessage.state,
      });
    }
  };

const envelope = (body: string): EventBridgeEvent => {
  try {
    return EventBridgeEvent.parse(JSON.parse(body));
  } catch (cause) {
    throw new UnreadableError(`the message is no EventBridge event: ${reasonOf(cause)}`, { cause });
  }
};
