import * as z from 'zod';

/** A parameter of an EC2 call: text, a list, or a group of parameters. */
export type Parameter = string | readonly Parameter[] | { readonly [name: string]: Parameter };

type Entry = { readonly path: readonly string[]; readonly value: string };

/**
 * The parameters of an EC2 Query request: `Filter.1.Value.2=x` is the second value of the first filter.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
 */
export const parametersOf = (form: string): Parameter =>
  grouped([...new URLSearchParams(form)].map(([name, value]) => ({ path: name.split('.'), value })));

const grouped = (entries: readonly Entry[]): Parameter => {
  const leaf = entries.find(({ path }) => path.length === 0);
  if (leaf) return leaf.value;
  const groups = new Map<string, Entry[]>();
  for (const { path, value } of entries) {
    const [head = '', ...rest] = path;
    const group = groups.get(head) ?? [];
    group.push({ path: rest, value });
    groups.set(head, group);
  }
  const members = [...groups].map(([name, of]) => [name, grouped(of)] as const);
  return members.every(([name]) => /^\d+$/.test(name))
    ? members.sort(([a], [b]) => Number(a) - Number(b)).map(([, member]) => member)
    : Object.fromEntries(members);
};

/** A whole number as EC2 is sent one. */
export const Integer = z
  .string()
  .regex(/^-?\d{1,15}$/)
  .transform(Number);

export const Flag = z.enum(['true', 'false']).transform((value) => value === 'true');
