import { computed, useComputed } from '@preact/signals';
import { type Past, type Row, span, spans } from './state.ts';
import { clockTime, duration, exactNowMs, nowMs, zoneName } from './times.ts';

/** How a status looks: its colour, and a shape of its own, beside its text. */
type Look = 'good' | 'busy' | 'still' | 'bad' | 'gone';

const looks: Readonly<Record<string, Look>> = {
  ...{ RUNNING: 'good', ACTIVE: 'good', SUCCEEDED: 'good' },
  ...{ STOPPED: 'still', DELETED: 'gone', DELETING: 'gone' },
  ...{ FAILED: 'bad', DEGRADED: 'bad', UNAVAILABLE: 'bad' },
};
const lookOf = (status: string): Look => looks[status] ?? 'busy';

const shapes: Readonly<Record<Look, string>> = {
  good: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Z',
  busy: 'M8 2a6 6 0 0 1 0 12V2Zm-1.6.2v1.6a4.4 4.4 0 0 0 0 8.4v1.6a6 6 0 0 1 0-11.6Z',
  still: 'M3 3h10v10H3Z',
  bad: 'M8 1.5 15 14H1Z',
  gone: 'M4 2.6 8 6.6l4-4L13.4 4l-4 4 4 4-1.4 1.4-4-4-4 4L2.6 12l4-4-4-4Z',
};

export const Status = ({ status }: { readonly status: string }) => {
  const look = lookOf(status);
  return (
    <span class={`status ${look}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={shapes[look]} />
      </svg>
      {status}
    </span>
  );
};

/** How long ago, which changes by itself. */
export const Ago = ({ ms }: { readonly ms: number }) => {
  const text = useComputed(() => duration(nowMs.value - ms));
  return <>{text}</>;
};

type Segment = Past & { readonly endMs: number };

/** The times that a resource had its statuses; the last one until now. */
const segmentsOf = (history: readonly Past[], untilMs: number): readonly Segment[] =>
  history.map((one, index) => ({ ...one, endMs: history[index + 1]?.timeMs ?? untilMs }));

const coarseNowMs = computed(() => Math.floor(nowMs.value / 5_000) * 5_000);

/** The statuses of the chosen span, as one strip. */
export const Strip = ({ row }: { readonly row: Row }) => {
  const endMs = coarseNowMs.value + 5_000;
  const lengthMs = spans[span.value];
  const startMs = endMs - lengthMs;
  const segments = segmentsOf(row.history.value, endMs).filter((one) => one.endMs > startMs);
  const said = segments.map(({ status, timeMs }) => `${status} since ${clockTime(timeMs)}`).join(', ');
  return (
    <svg
      class="strip"
      viewBox="0 0 120 12"
      preserveAspectRatio="none"
      role="img"
      aria-label={said || 'nothing'}
    >
      {segments.map(({ status, timeMs, endMs: until }) => {
        const x = (Math.max(timeMs - startMs, 0) / lengthMs) * 120;
        const width = Math.max(((until - Math.max(timeMs, startMs)) / lengthMs) * 120, 1.5);
        return (
          <rect key={`${timeMs} ${status}`} class={lookOf(status)} x={x} y={0} height={12} width={width} />
        );
      })}
    </svg>
  );
};

const timelineWidth = 640;
const lineHeight = 34;

/** One line for each status with its duration, from the first to now, with an axis that names the zone. */
export const Timeline = ({ history }: { readonly history: readonly Past[] }) => {
  const endMs = Math.max(coarseNowMs.value, exactNowMs());
  const startMs = history[0]?.timeMs ?? endMs;
  const lengthMs = Math.max(endMs - startMs, 1_000);
  const segments = segmentsOf(history, endMs);
  const height = segments.length * lineHeight;
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return (
    <svg
      class="timeline"
      viewBox={`0 0 ${timelineWidth} ${height + 42}`}
      role="img"
      aria-label={`Timeline, times in ${zoneName.value}: ${segments
        .map(
          ({ status, timeMs, endMs: until }) =>
            `${status} at ${clockTime(timeMs)} for ${duration(until - timeMs)}`,
        )
        .join('; ')}`}
    >
      {ticks.map((tick) => (
        <line
          key={tick}
          class="tick"
          x1={tick * timelineWidth}
          x2={tick * timelineWidth}
          y1={0}
          y2={height}
        />
      ))}
      {segments.map(({ status, timeMs, endMs: until }, index) => {
        const x = ((timeMs - startMs) / lengthMs) * timelineWidth;
        const width = Math.max(((until - timeMs) / lengthMs) * timelineWidth, 3);
        const isLate = x > timelineWidth * 0.6;
        return (
          <g key={`${timeMs} ${status}`} transform={`translate(0 ${index * lineHeight})`}>
            <rect
              class={lookOf(status)}
              x={Math.min(x, timelineWidth - 3)}
              y={20}
              height={9}
              width={width}
              rx={3}
            />
            <text x={isLate ? x + width : x} y={15} text-anchor={isLate ? 'end' : 'start'}>
              {status} · {duration(until - timeMs)}
            </text>
          </g>
        );
      })}
      {ticks.map((tick) => (
        <text
          key={tick}
          class="axis"
          x={tick * timelineWidth}
          y={height + 17}
          text-anchor={tick === 0 ? 'start' : tick === 1 ? 'end' : 'middle'}
        >
          {clockTime(startMs + tick * lengthMs)}
        </text>
      ))}
      <text class="axis zone" x={timelineWidth} y={height + 38} text-anchor="end">
        {zoneName}
      </text>
    </svg>
  );
};
