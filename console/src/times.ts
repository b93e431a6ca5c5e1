import { computed, signal } from '@preact/signals';

/** Of this machine, once a second; milliseconds since 1970. */
const localNow = signal(Date.now());
setInterval(() => {
  localNow.value = Date.now();
}, 1000);

/** How far the provider's clock is ahead of this machine's. */
const aheadMs = signal(0);
export const setProviderTime = (time: string): void => {
  aheadMs.value = Date.parse(time) - Date.now();
};

/** The provider's clock. */
export const nowMs = computed(() => localNow.value + aheadMs.value);
export const exactNowMs = (): number => Date.now() + aheadMs.peek();

export const zones = ['UTC', 'local'] as const;
export type Zone = (typeof zones)[number];
export const zone = signal<Zone>('UTC');
export const zoneName = computed(() =>
  zone.value === 'UTC' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone,
);

const two = (number: number): string => String(number).padStart(2, '0');

/** `12:03:07` in the chosen zone. */
export const clockTime = (ms: number, of: Zone = zone.value): string => {
  const date = new Date(ms);
  return of === 'UTC'
    ? date.toISOString().slice(11, 19)
    : `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

/** `2026-11-30 12:03:07` in the chosen zone. */
export const fullTime = (ms: number): string => {
  const date = new Date(ms);
  const day =
    zone.value === 'UTC'
      ? date.toISOString().slice(0, 10)
      : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clockTime(ms)}`;
};

/** `14 s`, `3 m`, `2 h`, `4 d`. */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m${seconds < 600 ? ` ${seconds % 60} s` : ''}`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
};
