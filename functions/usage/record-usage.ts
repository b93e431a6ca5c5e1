import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { wordOfKey } from '../../shared/core/gate.ts';
import { ServiceType } from '../../shared/core/kind.ts';
import { billedFactsOf } from '../../shared/core/outputs.ts';
import { carriedOf, monthsOf, type UsageEvent } from '../../shared/core/usage/intervals.ts';
import {
  beginOf,
  type Month,
  monthAfter,
  monthBefore,
  monthOf,
  monthsFrom,
  uncarriedMonths,
} from '../../shared/core/usage/month.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import type { UsageLedger } from '../../shared/ports/usage-ledger.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { busEvent, readBusEvent, serviceTypeOf } from '../../shared/wire/status-bus.ts';

const text = z.optional(z.string().check(z.minLength(1)));

const BusEvent = busEvent({
  sequence: z.string().check(z.regex(/^\d+(-\d+-[a-z-]+)?$/)),
  partitionkey: z.string(),
  account: text,
  instancetype: text,
  platform: text,
  zone: text,
  market: z.optional(z.literal('spot')),
  seenby: z.optional(z.enum(['listing', 'request'])),
  previoussequence: z.optional(z.string().check(z.regex(/^\d+$/))),
  taskcpu: text,
  taskmemory: text,
});

/**
 * What a status says about usage; nothing where it is of no resource of a service, as of a create that was refused.
 * @throws UnreadableError for a message that is no status of the bus.
 */
export const readUsage = (body: string): UsageEvent[] =>
  readBusEvent(body, (json) => {
    const { resources, detail } = BusEvent.parse(json);
    const { data, sequence: key, partitionkey: resource, account, seenby: seenBy } = detail;
    const serviceType = ServiceType.parse(serviceTypeOf(detail));
    if (!kinds.some((kind) => kind.serviceType === serviceType && kind.hasId(resource))) return [];
    const about = {
      ...{ resource, dcmId: data.id, serviceType, target: resources[0] },
      ...(account !== undefined && { account }),
    };
    const { previoussequence: before } = detail;
    const reason = reasonIn(data.message);
    const isReleased = wordOfKey(key) === 'moved' && data.status === 'DELETED';
    return [
      ...(before === undefined ? [] : [{ ...about, key: before, isCorrection: true }]),
      {
        ...{
          ...about,
          key,
          ...billedFactsOf({ ...detail, size: detail.instancetype ?? sizeOfTask(detail) }),
        },
        ...(seenBy !== undefined && { seenBy }),
        ...(reason !== undefined && { reason }),
        ...(isReleased && { isReleased }),
      },
    ];
  });

const sizeOfTask = ({ taskcpu, taskmemory }: z.infer<typeof BusEvent>['detail']): string | undefined =>
  taskcpu === undefined || taskmemory === undefined ? undefined : `${taskcpu}/${taskmemory}`;

/** EC2's code in a status's message, or what a spot interruption does with the instance. */
const reasonIn = (message = ''): string | undefined => {
  const [, code] = /: ((?:Client|Server)\.[\w.]*\w)/.exec(message) ?? [];
  const [, action] = /spot interruption: EC2 will (\w+) it/.exec(message) ?? [];
  return code ?? (action && `spot-${action}`);
};

/** Events of a month are in the ledger so long after its end, unless they are late: then what goes on from it can be carried. */
const settlingSeconds = 600;
/** Longer than the difference between the clocks of two functions. */
const clockDifferenceSeconds = 60;

type Message = {
  readonly messageId: string;
  readonly isRetry: boolean;
  readonly resourceMessages: readonly UsageEvent[];
};
type Parts = {
  readonly ledger: UsageLedger;
  readonly now: Clock;
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly meter: Pick<Meter, 'count'>;
};

/**
 * Adds a batch to the ledger, one write for each month. An event may come again: the ledger's readers count it once. What is late for its
 * month is carried into the months since, too.
 * @returns why SQS must redeliver messages, by message id.
 */
export const recordUsage =
  ({ ledger, now, log, meter }: Parts) =>
  async (messages: readonly Message[]): Promise<ReadonlyMap<string, unknown>> => {
    const events = messages.flatMap(({ resourceMessages }) => resourceMessages);
    const nowSeconds = Math.floor(now() / 1000);
    try {
      for (const [month, own] of byMonth(events)) {
        await ledger.add(month, own);
        if (month < monthOf(nowSeconds)) await carryLate(month, own);
      }
      meter.count('usageEvents', events.length);
      return new Map();
    } catch (error) {
      log.warn('statuses are not in the usage ledger; SQS delivers them again', {
        count: events.length,
        error,
      });
      return new Map(messages.map(({ messageId }) => [messageId, error]));
    }

    /** Before the month is carried as a whole, that is enough. */
    async function carryLate(month: Month, late: readonly UsageEvent[]): Promise<void> {
      const carriedFrom = beginOf(monthAfter(month)) + settlingSeconds;
      if (nowSeconds < carriedFrom - clockDifferenceSeconds) return;
      meter.count('usageLate', late.length);
      const resources = new Set(late.map(({ resource }) => resource));
      for (const each of monthsFrom(month, monthBefore(monthOf(nowSeconds)))) {
        const events = (await ledger.read(each)).map(({ event }) => event);
        const own = events.filter(({ resource }) => resources.has(resource));
        await ledger.add(
          monthAfter(each),
          carriedOf(own, kinds, { settled: true, monthEnd: beginOf(monthAfter(each)) }),
        );
      }
    }
  };

/** By the second that an event is about. */
const byMonth = (events: readonly UsageEvent[]): ReadonlyMap<Month, UsageEvent[]> => {
  const months = new Map<Month, UsageEvent[]>();
  for (const event of events)
    for (const month of monthsOf(event)) {
      const own = months.get(month);
      if (own) own.push(event);
      else months.set(month, [event]);
    }
  return months;
};

/**
 * Carries what goes on from the last month into this one, so that a month's usage is told by its own events. Without effect where that is
 * done, and in the first ten minutes of a month. A schedule calls it.
 */
export const carryUsage =
  ({ ledger, now, log }: Parts) =>
  async (): Promise<void> => {
    const nowSeconds = Math.floor(now() / 1000);
    const month = monthOf(nowSeconds);
    if (nowSeconds < beginOf(month) + settlingSeconds) return;
    for (const each of await uncarriedMonths(ledger, month)) {
      const events = (await ledger.read(monthBefore(each))).map(({ event }) => event);
      const carried = carriedOf(events, kinds, { settled: false, monthEnd: beginOf(each) });
      await ledger.add(each, carried);
      await ledger.markCarried(each);
      log.info('usage that goes on was carried into the month', { month: each, events: carried.length });
    }
  };

/** What the schedule invokes the function with. No event of SQS has this field. */
const ScheduledRequest = z.object({ do: z.literal('carry') });
type ScheduledRequest = z.infer<typeof ScheduledRequest>;

/** Records a batch of SQS; for the schedule, carries usage into the month. */
export const handleEvent =
  ({
    batch,
    carry,
  }: {
    readonly batch: (event: SQSEvent) => Promise<SQSBatchResponse>;
    readonly carry: () => Promise<void>;
  }) =>
  async (event: SQSEvent | ScheduledRequest): Promise<SQSBatchResponse> => {
    if (!('do' in event)) return batch(event);
    ScheduledRequest.parse(event);
    await carry();
    return { batchItemFailures: [] };
  };
