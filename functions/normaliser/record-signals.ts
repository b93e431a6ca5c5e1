import { UnavailableError } from '../../shared/domain/errors.ts';
import { isNews } from '../../shared/domain/gate.ts';
import type { StateReason } from '../../shared/domain/instance.ts';
import type { Notice, Observation, Signal, StatusWanted } from '../../shared/domain/signal.ts';
import {
  isNoticeNews,
  isRepeatNews,
  noticeStatus,
  repeatedStatus,
  statusOf,
  type Vm,
} from '../../shared/domain/vm.ts';
import type { Fleet, Recorded } from '../../shared/ports/fleet.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import { withoutSuperseded } from './lanes.ts';
import type { Terminations } from './terminations.ts';

type Parts = { readonly fleet: Fleet; readonly reasons: Terminations; readonly meter: Meter };

type News = {
  readonly vm: Vm;
  readonly signals: readonly Signal[];
  /** Why it was terminated, where it was and EC2 said. */
  readonly reason: StateReason | undefined;
};

/**
 * Tells the fleet, in order, what was learnt about one VM. Answers the VM as the fleet then holds it, outbox and all: also what a
 * crashed worker left there.
 */
export const recordSignals =
  ({ fleet, reasons, meter }: Parts) =>
  async ({ vm, signals, reason }: News): Promise<Vm> => {
    const told = withoutSuperseded(signals);
    meter.count('collapsed', signals.length - told.length);
    let held = vm;
    for (const signal of told) {
      const recorded = await tell(held, signal);
      if (recorded.outcome === 'unknown')
        throw new UnavailableError(
          `the fleet no longer holds ${vm.instanceId}; whose it is must be established again`,
        );
      meter.count(recorded.outcome);
      held = recorded.vm;
    }
    if (held.state === 'shutting-down') reasons.expect(held);
    return held;

    function tell(before: Vm, signal: Signal): Promise<Recorded> | Recorded {
      if (signal.kind === 'observation') return observed(before, signal);
      if (signal.kind === 'notice') return noticed(before, signal);
      return signal.kind === 'status-wanted' ? wanted(before, signal) : { outcome: 'unchanged', vm: before };
    }

    function observed(before: Vm, observation: Observation): Promise<Recorded> | Recorded {
      if (!isNews(before, observation)) return { outcome: 'stale', vm: before }; // a read may lag behind, it is never ahead
      const ended = observation.state === 'running' || before.notice?.notice === 'stuck-launch';
      const notice = ended ? undefined : before.notice;
      return fleet.record(
        observation,
        statusOf(observation, {
          reason: observation.state === 'terminated' ? reason : undefined,
          notice: notice?.notice,
          noticeText: notice?.text,
          deleteRequested: before.deleteRequested,
        }),
      );
    }

    function noticed(before: Vm, notice: Notice): Promise<Recorded> | Recorded {
      if (!isNoticeNews(before, notice)) return { outcome: 'stale', vm: before };
      const { state } = before;
      return fleet.notify(before, notice, state && noticeStatus({ ...before, state }, notice));
    }

    function wanted(before: Vm, request: StatusWanted): Promise<Recorded> | Recorded {
      const { latest } = before;
      if (!latest || !isRepeatNews(before, request)) return { outcome: 'stale', vm: before };
      return fleet.repeat(before, repeatedStatus({ ...before, latest }, request));
    }
  };
