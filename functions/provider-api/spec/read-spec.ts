import type * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../shared/domain/errors.ts';
import { withoutAbsent } from './absence.ts';
import { hintsOf, type Violation } from './hints.ts';
import { SpecBody, type VmSpec } from './vm-spec.ts';

/**
 * The spec of a request's body, wrapped in `spec` as the control plane sends it, or bare as the environment agent does.
 * @throws InvalidArgumentError that names every field which is not as expected (the first ten), and says what was.
 */
export const specOf = (body: unknown): VmSpec => {
  const given = unwrapped(body);
  const unusable = unusableIn(given);
  if (unusable.length > 0) throw new InvalidArgumentError(listed(unusable));
  const spec = withoutAbsent(given);
  if (!isFields(spec) || !saysAnything(spec)) {
    throw new InvalidArgumentError(
      'spec: expected a VM spec: {"spec":{"service_type":"vm",…}}, or what is in there alone',
    );
  }
  const read = SpecBody.safeParse(spec);
  const { hints, violations } = hintsOf(spec);
  const refused = [...(read.success ? [] : read.error.issues.map(violationOf)), ...violations];
  if (!read.success || refused.length > 0) throw new InvalidArgumentError(listed(refused));
  return { ...asked(read.data), hints };
};

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unwrapped = (body: unknown): unknown => (isFields(body) && 'spec' in body ? body.spec : body);

/** Something that is not a spec at all would otherwise be a VM of defaults. */
const saysAnything = (spec: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(spec).some((key) => Object.hasOwn(SpecBody.shape, key) || key === 'provider_hints');

/**
 * Every field that could not be sent or would be lost: one whose name or value has half a surrogate pair, at any depth and whoever reads it,
 * which JSON can escape and UTF-8 cannot encode; and a label called `__proto__`, which objects drop. Without recursion, because a body can be
 * nested deeper than the call stack.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-8.2
 */
const unusableIn = (given: unknown): Violation[] => {
  const fields: Field[] = [{ name: '', value: given, path: '' }];
  for (const { value, path } of fields) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, below] of Object.entries(value))
      fields.push({ name, value: below, path: pathBelow(path, Array.isArray(value) ? Number(name) : name) });
  }
  return fields.flatMap((field) => {
    const message = faultOf(field);
    return message === undefined ? [] : [{ path: field.path, message }];
  });
};

type Field = { readonly name: string; readonly value: unknown; readonly path: string };

const faultOf = ({ name, value, path }: Field): string | undefined => {
  if (![name, value].every(isEncodable)) return 'expected text without half a surrogate pair';
  return path === 'metadata.labels.__proto__' ? 'expected another name: this one cannot be kept' : undefined;
};

const isEncodable = (value: unknown): boolean => typeof value !== 'string' || value.isWellFormed();

const pathBelow = (above: string, key: PropertyKey): string =>
  typeof key === 'number' ? `${above}[${key}]` : [above, String(key)].filter(Boolean).join('.');

const violationOf = (issue: z.core.$ZodIssue): Violation => ({
  path: issue.path.reduce<string>(pathBelow, ''),
  message: (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message,
});

const most = 10;
const longestPath = 120;

const listed = (violations: readonly Violation[]): string => {
  const told = violations
    .slice(0, most)
    .map(({ path, message }) => `${path.slice(0, longestPath).toWellFormed()}: ${message}`);
  const untold = violations.length - told.length;
  return [...told, ...(untold > 0 ? [`and ${untold} more`] : [])].join('; ');
};

const asked = ({ vcpu, memory, storage, guest_os, access, metadata }: SpecBody): Omit<VmSpec, 'hints'> => ({
  vcpus: vcpu?.count,
  memoryMib: memory?.size === undefined ? undefined : mibOf(memory.size),
  disks: (storage?.disks ?? []).flatMap((disk) =>
    disk === undefined ? [] : [{ name: disk.name, gib: Math.ceil(mibOf(disk.capacity) / 1024) }],
  ),
  guestOs: guest_os?.type,
  sshPublicKey: access?.ssh_public_key?.trim(),
  name: metadata?.name,
  labels: metadata?.labels ?? {},
});

const mib = { MB: 1, GB: 1024, TB: 1024 * 1024 } as const;

const mibOf = (size: string): number => {
  const unit = size.endsWith('MB') ? 'MB' : size.endsWith('GB') ? 'GB' : 'TB';
  return Number(size.slice(0, -2)) * mib[unit];
};
