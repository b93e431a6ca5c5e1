/** A month by UTC, such as `2026-11`: the unit of the ledger, and a billing period. */
export type Month = string;

export const monthOf = (second: number): Month => new Date(second * 1000).toISOString().slice(0, 7);

/** The first second of a month, since 1970. */
export const beginOf = (month: Month): number => Date.parse(`${month}-01T00:00:00Z`) / 1000;

export const monthAfter = (month: Month): Month => {
  const date = new Date(beginOf(month) * 1000);
  date.setUTCMonth(date.getUTCMonth() + 1);
  return date.toISOString().slice(0, 7);
};

export const monthBefore = (month: Month): Month => monthOf(beginOf(month) - 1);

/** From one month to another, both included; none where the second is earlier. */
export const monthsFrom = (first: Month, last: Month): Month[] => {
  const months: Month[] = [];
  for (let month = first; month <= last; month = monthAfter(month)) months.push(month);
  return months;
};

/** So many months back, what was carried is looked for; a ledger is not older where nothing was. */
const maximumMonths = 13;

/** The months up to this one, in their order, that do not have yet what goes on from the month before them. `carriedAtMs`: when a month got it. */
export const uncarriedMonths = async (
  ledger: { readonly carriedAtMs: (month: Month) => Promise<number | undefined> },
  last: Month,
): Promise<Month[]> => {
  const months: Month[] = [];
  for (let month = last; months.length < maximumMonths; month = monthBefore(month)) {
    if ((await ledger.carriedAtMs(month)) !== undefined) break;
    months.unshift(month);
  }
  return months;
};
