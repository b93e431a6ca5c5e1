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

/** Every kind of EventBridge event that the provider handles. To add one, add a file like the others here, and a line to this list. */
export const eventKinds: readonly EventKind[] = [
  stateChange,
  tagChange,
  spotInterruption,
  rebalanceRecommendation,
  health,
];

/** The messages that our functions put into the queue; no EventBridge rule matches them. */
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
 * The patterns of the EventBridge rules, one for each kind of event, for infra and the local event bus. They match the account, because
 * other accounts may be allowed to put events on the same bus.
 */
export const eventPatternsOf = (account: string): readonly EventPattern[] =>
  eventKinds.map(({ source, detailType, detail }) => ({
    source: [source],
    'detail-type': [detailType],
    account: [account],
    ...(detail && { detail }),
  }));
