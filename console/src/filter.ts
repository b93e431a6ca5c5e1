import type { ServiceType } from '../../shared/core/kind.ts';

/** What a filter sees of a resource. */
export type Filtered = {
  readonly dcmId: string;
  readonly serviceType: ServiceType;
  readonly targetName: string;
  readonly account: string;
  readonly region: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly resourceId: string;
  readonly size: string;
  readonly status: string;
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly changedMs: number;
};

type Matches = (one: Filtered, nowMs: number) => boolean;

/** One word of a filter; all of them must match. */
export type Term = {
  readonly text: string;
  /** Why the word is no filter. */
  readonly error?: string;
  readonly matches: Matches;
};

const unit: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const includes = (of: (one: Filtered) => string) => (value: string) => (one: Filtered) =>
  of(one).toLowerCase().includes(value);

const changed = (value: string): Matches | undefined => {
  const [, number, letter = ''] = /^(\d{1,4})([smhd])$/.exec(value) ?? [];
  const ms = Number(number) * (unit[letter] ?? Number.NaN);
  return Number.isNaN(ms) ? undefined : (one, nowMs) => nowMs - one.changedMs <= ms;
};

const keys: Readonly<Record<string, (value: string) => Matches | undefined>> = {
  status: includes(({ status }) => status),
  type: includes(({ serviceType }) => serviceType),
  target: includes(({ targetName }) => targetName),
  account: includes(({ account }) => account),
  region: includes(({ region }) => region),
  id: includes(({ dcmId, resourceId }) => `${dcmId} ${resourceId}`),
  size: includes(({ size }) => size),
  changed,
};

const labelPrefix = 'label.';
const keyNames = [...Object.keys(keys), `${labelPrefix}k`].join(', ');

const words = includes(
  ({ dcmId, resourceId, size, status, message, targetName }) =>
    `${dcmId} ${resourceId} ${size} ${status} ${message} ${targetName}`,
);

const nothing = () => false;

const wrong = (text: string, error: string): Term => ({ text, matches: nothing, error });

/** A label's key is exact, as keys of tags are; its value is looked for as any other. */
const labelTerm = (text: string, key: string, value: string): Term => {
  if (key === '') return wrong(text, `${labelPrefix}: expected a key after the dot`);
  const matches = includes(({ labels }) => (Object.hasOwn(labels, key) ? (labels[key] ?? '') : ''));
  return value === ''
    ? wrong(text, `${labelPrefix}${key}: expected a value`)
    : { text, matches: matches(value) };
};

const termOf = (text: string): Term => {
  const [, key, given = ''] = /^([a-z][^:]*):(.*)$/i.exec(text) ?? [];
  if (key === undefined) return { text, matches: words(text.toLowerCase()) };
  const value = given.toLowerCase();
  if (key.startsWith(labelPrefix)) return labelTerm(text, key.slice(labelPrefix.length), value);
  const name = key.toLowerCase();
  const make = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (make === undefined) return wrong(text, `there is no filter ${key}; there are ${keyNames}`);
  const matches = value === '' ? undefined : make(value);
  if (matches === undefined)
    return wrong(text, `${key}: expected ${name === 'changed' ? '15m, 2h or 1d' : 'a value'}`);
  return { text, matches };
};

/**
 * A word alone is looked for in everything that a row shows; `key:value` in one field; `label.team:web` in a label. `changed:15m`: within the
 * last 15 minutes.
 */
export const termsOf = (filter: string): readonly Term[] => filter.split(/\s+/).filter(Boolean).map(termOf);
