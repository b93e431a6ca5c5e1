import { XMLBuilder } from 'fast-xml-parser';
import * as z from 'zod';

/** A parameter of an EC2 call: a text, a list, or named parameters. */
export type Parameter = string | readonly Parameter[] | { readonly [name: string]: Parameter };

type Entry = { readonly path: readonly string[]; readonly value: string };

/**
 * Parses the parameters of an EC2 Query request: `Filter.1.Value.2=x` is the second value of the first filter.
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

/** A whole number, as text. */
export const Integer = z
  .string()
  .regex(/^-?\d{1,15}$/)
  .transform(Number);

export const Flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/**
 * An error that EC2 answers, with its code and message.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export class Ec2Error extends Error {
  override name = 'Ec2Error' as const;
  readonly code: string;
  readonly status: 400 | 401 | 403 | 412 | 500 | 503;

  constructor(code: string, message: string, status: Ec2Error['status'] = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const invalidValue = (message: string): Ec2Error => new Ec2Error('InvalidParameterValue', message);

export const invalidCombination = (message: string): Ec2Error =>
  new Ec2Error('InvalidParameterCombination', message);

/** The content of an XML element; an undefined element is left out. */
export type Xml = string | number | boolean | undefined | XmlElements;
export type XmlElements = { readonly [name: string]: Xml | readonly (XmlElements | string)[] };

/** A list in EC2's form; an empty list is an empty element. */
export const items = (members: readonly XmlElements[]): Xml => (members.length > 0 ? { item: members } : '');

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressEmptyNode: true,
});
const declaration = { '@version': '1.0', '@encoding': 'UTF-8' };

/** The answer to a successful call. */
export const answerXml = (action: string, requestId: string, elements: XmlElements): string =>
  builder.build({
    '?xml': declaration,
    [`${action}Response`]: { '@xmlns': 'http://ec2.amazonaws.com/doc/2016-11-15/', requestId, ...elements },
  });

export const errorXml = (
  requestId: string,
  error: { readonly code: string; readonly message: string },
): string =>
  builder.build({
    '?xml': declaration,
    Response: { Errors: { Error: { Code: error.code, Message: error.message } }, RequestID: requestId },
  });
