import { reasonOf, UnreadableError } from '../../shared/domain/errors.ts';
import { clamped } from '../../shared/domain/gate.ts';
import type { Signal } from '../../shared/domain/signal.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { eventKindOf } from './events/registry.ts';

type Parts = { readonly now: Clock; readonly log: Log; readonly meter: Meter };

/**
 * What a message of the observations queue tells about which instances; nothing, for a kind of event that is not in the registry.
 * @throws UnreadableError where it is not an EventBridge event, or not as AWS documents its kind.
 */
export const readMessage =
  ({ now, log, meter }: Parts) =>
  (body: string): Signal[] => {
    const event = envelope(body);
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
      const signals = kind.toSignals(event).map((signal) => ({ ...signal, at: clamped(signal.at, now()) }));
      for (const signal of signals) warnOfUnknownState(signal);
      return signals;
    } catch (cause) {
      throw new UnreadableError(`event ${event.id} is no "${kind.detailType}": ${reasonOf(cause)}`, {
        cause,
      });
    }

    function warnOfUnknownState(signal: Signal) {
      if (signal.kind !== 'observation' || signal.unrecognised === undefined) return;
      meter.count('unknownState');
      log.warn('EC2 reported a state that is not known; it is taken as the nearest active one', {
        instanceId: signal.instanceId,
        state: signal.unrecognised,
        takenAs: signal.state,
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
