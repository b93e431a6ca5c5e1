/** Nothing that we read lies deeper, and a body is anything that somebody sends. */
const deepest = 16;

/**
 * DCM fills in what nobody said: null, "", 0, {} and [] mean that there is nothing, at any depth. Members of an array that are nothing
 * stay as undefined, so that a refusal names the others by the place where the caller wrote them. Below `metadata.labels` an empty text
 * is a value like others: EC2 has tags without one.
 */
export const withoutAbsent = (value: unknown, path: readonly (string | number)[] = []): unknown => {
  if (path.length > deepest) return value;
  if (Array.isArray(value)) return presentMembers(value, path);
  if (typeof value === 'object' && value !== null) return presentFields(value, path);
  return isNothing(value, path) ? undefined : value;
};

const isNothing = (value: unknown, path: readonly (string | number)[]): boolean =>
  value === null || value === 0 || (value === '' && !isLabel(path));

const isLabel = ([section, field, ...below]: readonly (string | number)[]): boolean =>
  section === 'metadata' && field === 'labels' && below.length === 1;

const presentMembers = (members: readonly unknown[], path: readonly (string | number)[]): unknown => {
  const present = members.map((member, index) => withoutAbsent(member, [...path, index]));
  return present.every((member) => member === undefined) ? undefined : present;
};

const presentFields = (fields: object, path: readonly (string | number)[]): unknown => {
  const present = Object.entries(fields).flatMap(([key, value]) => {
    const kept = withoutAbsent(value, [...path, key]);
    return kept === undefined ? [] : [[key, kept] as const];
  });
  return present.length > 0 ? Object.fromEntries(present) : undefined;
};
