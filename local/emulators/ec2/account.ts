import type { Clock } from '../../../shared/ports/clock.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import type { Random } from '../random.ts';
import type { Timers } from '../timers.ts';
import type { Faults } from './faults.ts';
import type { Retention } from './instance-store.ts';
import type { DwellMs } from './lifecycle.ts';

/** A state that an instance entered. */
export type Transition = {
  readonly instanceId: string;
  readonly state: InstanceState;
  readonly atMs: number;
};

/** The account of a region, and what all regions share. */
export type Account = {
  readonly id: string;
  readonly clock: Clock;
  /** The seed of `random`. */
  readonly seed: number;
  readonly random: Random;
  readonly dwellMs: DwellMs;
  readonly retention: Retention;
  readonly timers: Timers;
  /** The current faults in the region. */
  faults(): Faults;
  /** Never rejects. */
  emit(event: EventBridgeEvent): Promise<void>;
  onTransition(transition: Transition): void;
};
