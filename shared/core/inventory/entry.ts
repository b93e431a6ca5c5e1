import * as z from 'zod/mini';
import { type Target, targetKey } from '../target.ts';

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

/** One collection of one target. */
export type Place = { readonly target: Target; readonly collection: Collection };

/** A place as text, for keys: `eu-west-1/volumes`, `222222222222/eu-west-1/volumes`. */
export const placeKey = ({ target, collection }: Place): string => `${targetKey(target)}/${collection}`;

/** A resource as the inventory has it. */
export type Entry = {
  /** Its id in AWS, unique within the place: `i-…`, `vol-…`, a task's id, a cluster's name. */
  readonly id: string;
  /** The tag `Name`, or the name that the service itself gives; undefined: it has none. */
  readonly name?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Since when the entry is as it is: the second of the event, or the start of the listing less its lag. Milliseconds since 1970. */
  readonly at: number;
  /** Why the service counts it as unhealthy; undefined: it does not. */
  readonly unhealthy?: string | undefined;
  /** The service's own description of it, as the AWS SDK returns it, in JSON, without secrets. */
  readonly object: Readonly<Record<string, unknown>>;
};

/** An entry that is new or changed, or one that ended. */
export type EntryChange =
  | { readonly entry: Entry }
  | { readonly ended: { readonly id: string; readonly at: number } };
