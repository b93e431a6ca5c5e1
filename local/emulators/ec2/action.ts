import * as z from 'zod';
import { Ec2Error, invalidValue, type Parameter, type XmlElements } from './query-protocol.ts';
import type { Region } from './region.ts';

/**
 * One action of the EC2 API. It checks the request, and returns the function that executes it; a dry run stops before that.
 * @throws Ec2Error
 */
export type Action = (parameters: Parameter, region: Region) => () => XmlElements;

export const action =
  <Schema extends z.ZodType>(
    schema: Schema,
    prepare: (request: z.output<Schema>, region: Region) => () => XmlElements,
  ): Action =>
  (parameters, region) => {
    const { data, error } = schema.safeParse(parameters, { reportInput: true });
    if (error) throw refusal(error);
    return prepare(data, region);
  };

const refusal = ({ issues: [issue] }: z.ZodError): Ec2Error => {
  const name = issue?.path.map((step) => (typeof step === 'number' ? step + 1 : String(step))).join('.');
  return issue?.input === undefined
    ? new Ec2Error('MissingParameter', `The request must contain the parameter ${name}`)
    : invalidValue(`Value (${String(issue.input)}) for parameter ${name} is invalid. ${issue.message}`);
};

/** The instances of a request. */
export const InstanceIds = z.array(z.string()).min(1).max(1000);

export const success = { return: true } as const;
