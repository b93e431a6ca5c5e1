import { InvalidArgumentError } from '../../../../shared/core/errors.ts';
import type { Spec } from '../api-conventions.ts';

type Reference = { readonly resource: string; readonly output: string };

const name = '[a-zA-Z_][a-zA-Z0-9_]*';
const segment = `${name}(?:\\[\\d+\\])?`;
const pattern = new RegExp(`^\\$\\{(${name})\\.(${segment}(?:\\.${segment})*)\\}$`);

/**
 * The output to which a text such as `${web.ip[0].address}` refers; undefined for any other text.
 * @throws InvalidArgumentError where the text contains `${` and is not a reference.
 * @see https://github.com/dcm-project/control-plane (internal/cel/reference.go)
 */
export const referenceIn = (text: string): Reference | undefined => {
  if (!text.includes('${')) return undefined;
  const [, resource = '', output = ''] =
    pattern.exec(text) ??
    refuse(`invalid CEL expression: must match \${resourceName.outputField}: "${text}"`);
  return { resource, output };
};

type Outputs = ReadonlyMap<string, Spec>;

/**
 * A copy of the spec with each reference replaced by its output. Outputs must be non-empty texts, so a port cannot be bound.
 * @throws InvalidArgumentError where there is no such output yet.
 */
export const bindReferences = (spec: Spec, outputs: Outputs): Spec =>
  Object.fromEntries(Object.entries(spec).map(([key, value]) => [key, bound(value, outputs)]));

const bound = (value: unknown, outputs: Outputs): unknown => {
  if (typeof value === 'string') return boundText(value, outputs);
  if (Array.isArray(value)) return value.map((one) => bound(one, outputs));
  return isObject(value) ? bindReferences(value, outputs) : value;
};

const boundText = (text: string, outputs: Outputs): string => {
  const reference = referenceIn(text);
  if (reference === undefined) return text;
  const { resource, output } = reference;
  const producer = outputs.get(resource) ?? refuse(`CEL dependency "${resource}" is not ready`);
  const value = valueAt(producer, output);
  if (value === undefined || value === null || value === '')
    return refuse(`CEL output ${resource}.${output} is not available`);
  return typeof value === 'string' ? value : refuse(`CEL output ${resource}.${output} must be a string`);
};

/** The value at a path such as `ip[0].address`; undefined where there is none. */
const valueAt = (outputs: unknown, path: string): unknown =>
  path
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .reduce<unknown>((value, step) => {
      if (Array.isArray(value)) return value[Number(step)];
      return isObject(value) ? value[step] : undefined;
    }, outputs);

export const isObject = (value: unknown): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const refuse = (message: string): never => {
  throw new InvalidArgumentError(message);
};
