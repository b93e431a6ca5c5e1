import type { EventKind } from '../../event-kind.ts';
import { health } from './health.ts';
import { rebalanceRecommendation, spotInterruption } from './spot.ts';
import { stateChange } from './state-change.ts';
import { tagChange } from './tag-change.ts';

/** Every kind of event about EC2 instances. To add one, add a file like the others here, and a line to this list. */
export const vmEvents: readonly EventKind[] = [
  stateChange,
  tagChange,
  spotInterruption,
  rebalanceRecommendation,
  health,
];
