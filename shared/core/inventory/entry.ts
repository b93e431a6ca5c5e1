import * as z from 'zod/mini';
import type { ServiceType } from '../kind.ts';
import { type Target, targetKey, targetOfKey } from '../target.ts';

/** What the inventory has of a target: one collection for each sort of resource. */
export const Collection = z.enum([
  'instances',
  'volumes',
  'vpcs',
  'subnets',
  'security-groups',
  'images',
  'network-interfaces',
  'load-balancers',
  'addresses',
  'containers',
  'clusters',
]);
export type Collection = z.infer<typeof Collection>;

/** The collections that are filled by the listings that are made for DCM. */
export const collectionOfType = {
  vm: 'instances',
  container: 'containers',
  cluster: 'clusters',
} as const satisfies Record<ServiceType, Collection>;

/** The collections that have listings of their own. */
export const furtherCollections: readonly Collection[] = Collection.options.filter(
  (collection) => !Object.values<Collection>(collectionOfType).includes(collection),
);

/** One collection of one target. */
export type Place = { readonly target: Target; readonly collection: Collection };

/** A place as text, for keys: `eu-west-1/volumes`, `222222222222/eu-west-1/volumes`. */
export const placeKey = ({ target, collection }: Place): string => `${targetKey(target)}/${collection}`;

/** What the inventory knows of a resource besides the service's own description. */
export type Summary = {
  /** Its id in AWS, unique within the place: `i-…`, `vol-…`, a task's id, a cluster's name. */
  readonly id: string;
  /** The tag `Name`, or the name that the service itself gives; undefined: it has none. */
  readonly name?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Since when the entry is as it is: the second of the event, or the start of the listing less its lag. Milliseconds since 1970. */
  readonly at: number;
  /** Why the service counts it as unhealthy; undefined: it does not. */
  readonly unhealthy?: string | undefined;
  /** The service's word for its state, such as `running`; undefined: it has none. */
  readonly state?: string | undefined;
  /** The ids of the volumes that are attached to an instance. */
  readonly volumes?: readonly string[] | undefined;
  /** The VPC that it is in; undefined: in none, or not known. */
  readonly vpcId?: string | undefined;
  /** Whether nothing uses it: a volume without an attachment, an address without an association. */
  readonly unused?: boolean | undefined;
};

/** The inverse of `placeKey`. @throws ZodError where the text ends with no collection. */
export const placeOfKey = (key: string): Place => {
  const at = key.lastIndexOf('/');
  return { target: targetOfKey(key.slice(0, at)), collection: Collection.parse(key.slice(at + 1)) };
};

/** A resource as the inventory has it. */
export type Entry = Summary & {
  /** The service's own description of it, as the AWS SDK returns it, in JSON, without secrets. */
  readonly object: Readonly<Record<string, unknown>>;
};

/** An entry as a listing shows it: its time is the listing's. */
export type ListedEntry = Omit<Entry, 'at'>;

/** An entry that is new or changed, or one that ended. */
export type EntryChange =
  | { readonly entry: Entry }
  | { readonly ended: { readonly id: string; readonly at: number } };

/** A listing can lack what happened so shortly before it began: services show their resources with a delay. */
export const listingLagMs = 5_000;

/** The time of all that a listing shows. */
export const listedAt = ({ startedAtMs }: { readonly startedAtMs: number }): number =>
  startedAtMs - listingLagMs;

const JsonObject = z.record(z.string(), z.unknown());

/** The object of an entry from a service's own description. @throws ZodError for what is no object. */
export const objectOf = (described: object, leftOut?: ReadonlySet<string>): Entry['object'] =>
  JsonObject.parse(plain(described, leftOut));

/**
 * A value of an AWS SDK as plain JSON, in a form that does not depend on the order in which a service lists fields and tags. Undefined
 * fields, binary ones and those of these names are left out; dates are ISO 8601.
 */
export const plain = (value: unknown, leftOut?: ReadonlySet<string>): unknown => {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return undefined;
  if (Array.isArray(value)) return inOrder(value.map((one) => plain(one, leftOut)));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [
    name,
    plain(field, leftOut),
  ]);
  const known = fields.filter(([name, field]) => field !== undefined && !leftOut?.has(name));
  return Object.fromEntries(known.sort(([one], [other]) => (one < other ? -1 : 1)));
};

/** Tags, in the forms of EC2 and ECS, by key; other lists as they are. */
const inOrder = (list: readonly unknown[]): readonly unknown[] => {
  const keys = list.map(tagKeyOf);
  if (keys.includes(undefined)) return list;
  const keyed = list.map((item, index) => ({ item, key: keys[index] ?? '' }));
  return keyed.sort((one, other) => (one.key < other.key ? -1 : 1)).map(({ item }) => item);
};

const tagKeyOf = (item: unknown): string | undefined => {
  if (typeof item !== 'object' || item === null) return undefined;
  const names = Object.keys(item).map((name) => name.toLowerCase());
  if (!names.includes('key') || names.some((name) => name !== 'key' && name !== 'value')) return undefined;
  const entry = Object.entries(item).find(([name]) => name.toLowerCase() === 'key');
  return String(entry?.[1]);
};

/** The same text for the same value, whatever the order of its fields. */
export const canonical = (value: unknown): string => JSON.stringify(plain(value)) ?? '';
