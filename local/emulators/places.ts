/** A region of an account: what the services of AWS keep apart. */
export type Place = { readonly account: string; readonly region: string };

/** Some places: those of an account, those of a region, or all. */
export type Places = Partial<Place>;

const contains = (places: Places, { account, region }: Place): boolean =>
  (places.account ?? account) === account && (places.region ?? region) === region;

const keyOf = ({ account, region }: Place): string => `${account}/${region}`;

/** What an emulator keeps for each place, made when it is first asked for. */
export const byPlace = <State>(open: (place: Place) => State) => {
  const opened = new Map<string, State>();
  return {
    at: (place: Place): State => {
      const state = opened.get(keyOf(place)) ?? open(place);
      opened.set(keyOf(place), state);
      return state;
    },
    all: (): readonly State[] => [...opened.values()],
  };
};

/** An emulator that is out of order: it answers every call with an error, or never. */
export type Outage = 'refuses' | 'hangs';

/** The faults of an emulator, which can differ from place to place. */
export const placedFaults = <Faults extends object>(initial: Faults) => {
  const changes: { readonly change: Partial<Faults>; readonly places: Places }[] = [];
  let known = byPlace<Faults>(() => initial);
  const at = (place: Place): Faults => {
    let faults = initial;
    for (const { change, places } of changes) if (contains(places, place)) faults = { ...faults, ...change };
    return faults;
  };
  return {
    at: (place: Place): Faults => known.at(place),
    /** A later change of the same fault in the same place replaces an earlier one. */
    set: (change: Partial<Faults>, places: Places = {}): void => {
      changes.push({ change, places });
      known = byPlace(at);
    },
  };
};

/** Counts the calls of an emulator. */
export const callCounts = () => {
  const counts = byPlace((place) => ({ place, calls: new Map<string, number>() }));
  return {
    count: (action: string, place: Place): void => {
      const { calls } = counts.at(place);
      calls.set(action, (calls.get(action) ?? 0) + 1);
    },
    /** The number of calls of each action. */
    of: (places: Places = {}): Readonly<Record<string, number>> => {
      const sums = new Map<string, number>();
      for (const { place, calls } of counts.all()) {
        if (!contains(places, place)) continue;
        for (const [action, count] of calls) sums.set(action, (sums.get(action) ?? 0) + count);
      }
      return Object.fromEntries(sums);
    },
  };
};

/** A call of a service that is out of order gets no answer: the connection stays open until one of both ends it. */
export const neverAnswer = (): Promise<never> => new Promise(() => {});
