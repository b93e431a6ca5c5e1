import type { Clock } from '../../../shared/ports/clock.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import type { Faults } from './faults.ts';
import type { Retention } from './instance-store.ts';
import type { DwellMs } from './lifecycle.ts';
import type { Random } from './random.ts';
import type { Timers } from './timers.ts';

/** A state that an instance entered, to the millisecond. */
export type Transition = {
  readonly instanceId: string;
  readonly state: InstanceState;
  readonly atMs: number;
};

/** What all regions of one account have in common. */
export type Account = {
  readonly id: string;
  readonly clock: Clock;
  /** What `random` began with. */
  readonly seed: number;
  readonly random: Random;
  readonly dwellMs: DwellMs;
  readonly retention: Retention;
  readonly timers: Timers;
  /** As they are set now. */
  faults(): Faults;
  /** Never rejects. */
  emit(event: EventBridgeEvent): Promise<void>;
  onTransition(transition: Transition): void;
};
