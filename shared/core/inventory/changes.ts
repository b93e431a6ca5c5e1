/**
 * The changes of a collection since its base, folded. The base is a complete, immutable image of the collection; the log of the base has, in
 * one total order, the changes since and the marks of complete listings. So a base and a number of log entries name a moment exactly.
 */

/** An entry of a base's log. Writers compare a change with the base before they append it, so readers need not. */
export type Logged<Content> =
  | {
      readonly id: string;
      readonly at: number;
      /** Digest of what the entry is, its `at` apart; undefined: it ended. */
      readonly digest?: string | undefined;
      /** Whether the base has an entry of this id. */
      readonly inBase: boolean;
      readonly content?: Content | undefined;
    }
  | {
      /** The time of a complete listing: whatever is older counts for nothing from here on. */
      readonly listed: number;
      /** Digest of which resources the listing showed. */
      readonly members: string;
    };

/** The newest change of an id. */
export type Change<Content> = Exclude<Logged<Content>, { readonly listed: number }>;

export type Changes<Content> = {
  /** How many entries of the log are folded in. */
  readonly entries: number;
  readonly newest: ReadonlyMap<string, Change<Content>>;
  /** The time of the newest complete listing; undefined: there was none. */
  readonly listedAtMs: number | undefined;
  /** Digest of which resources that listing showed; undefined: since then, an entry was added or ended, or there was no listing. */
  readonly members: string | undefined;
};

/** A log entry without its content, for those who only compare. */
export const withoutContent = (one: Logged<unknown>): Logged<undefined> =>
  'listed' in one ? one : { ...one, content: undefined };

/** What a base says of the moment at which it was written. */
export type BaseMark = Pick<Changes<unknown>, 'listedAtMs' | 'members'>;

export const noChanges = ({ listedAtMs, members }: BaseMark): Changes<never> => ({
  ...{ entries: 0, newest: new Map(), listedAtMs, members },
});

/** Folds further log entries in, in their order. */
export const withLogged = <Content>(
  { entries, ...before }: Changes<Content>,
  logged: readonly Logged<Content>[],
): Changes<Content> => {
  const newest = new Map(before.newest);
  let mark: BaseMark = before;
  for (const one of logged) {
    if ('listed' in one) {
      if (isLater({ at: one.listed }, undefined, mark.listedAtMs))
        mark = { listedAtMs: one.listed, members: one.members };
      continue;
    }
    const held = newest.get(one.id);
    if (!isLater(one, held, mark.listedAtMs)) continue;
    if (changesMembers(one, held)) mark = { ...mark, members: undefined };
    newest.set(one.id, one);
  }
  return { ...mark, entries: entries + logged.length, newest };
};

/** Whether a change counts: it is later than the newest complete listing, and not earlier than what is held of its id. */
export const isLater = (
  { at }: { readonly at: number },
  held: { readonly at: number } | undefined,
  listedAtMs: number | undefined,
): boolean => at > (listedAtMs ?? Number.NEGATIVE_INFINITY) && (held === undefined || at >= held.at);

const changesMembers = (
  { digest, inBase }: Pick<Change<unknown>, 'digest' | 'inBase'>,
  held: Pick<Change<unknown>, 'digest'> | undefined,
): boolean => digest === undefined || (held === undefined ? !inBase : held.digest === undefined);

/** Ids in the order of pages. */
export const byId = (one: { readonly id: string }, other: { readonly id: string }): number =>
  one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
