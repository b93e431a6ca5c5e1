import type { EventBridgeEvent, EventPattern } from '../../../wire/eventbridge.ts';
import type { EventKind } from './event-kind.ts';
import { health } from './health.ts';
import {
  claimedInstance,
  noticedInListing,
  observedInListing,
  settledStatus,
  wantedCheck,
  wantedStatus,
} from './own-messages.ts';
import { rebalanceRecommendation, spotInterruption } from './spot.ts';
import { stateChange } from './state-change.ts';
import { tagChange } from './tag-change.ts';

/** Every EventBridge event that the provider understands. To add one: a file like its neighbours, and a line here. */
export const eventKinds: readonly EventKind[] = [
  stateChange,
  tagChange,
  spotInterruption,
  rebalanceRecommendation,
  health,
];

/** What our functions put into the queue themselves; no rule lets it through. */
const ownKinds: readonly EventKind[] = [
  observedInListing,
  noticedInListing,
  wantedStatus,
  settledStatus,
  wantedCheck,
  claimedInstance,
];

const key = (source: string, detailType: string) => `${source}/${detailType}`;
const kinds = new Map([...eventKinds, ...ownKinds].map((kind) => [key(kind.source, kind.detailType), kind]));

export const eventKindOf = (event: EventBridgeEvent): EventKind | undefined =>
  kinds.get(key(event.source, event['detail-type']));

/**
 * What the EventBridge rules let through of this account's events: one pattern per kind of event, read by infra and by the local event
 * bus. Other accounts may be allowed to put events on the same bus.
 */
export const eventPatternsOf = (account: string): readonly EventPattern[] =>
  eventKinds.map(({ source, detailType, detail }) => ({
    source: [source],
    'detail-type': [detailType],
    account: [account],
    ...(detail && { detail }),
  }));
