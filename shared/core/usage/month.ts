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
