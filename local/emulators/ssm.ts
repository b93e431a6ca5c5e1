import * as z from 'zod';
import { type LocalServer, serve } from '../processes/loopback.ts';
import type { Callers } from './callers.ts';
import { imageParameters } from './ec2/actions/images.ts';
import { JsonApiError, jsonApi } from './json-api.ts';

const GetParameter = z.object({ Name: z.string().min(1) });

type Options = { readonly port?: number; readonly callers?: Callers };

const publishedAt = Date.parse('2025-01-15T00:00:00Z') / 1000;

/**
 * SSM with only the public parameters of images, whose values are the simulator's newest images, the same in every region.
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html
 */
export const startSsm = ({ port, callers }: Options = {}): Promise<LocalServer> =>
  serve(
    jsonApi(new Map([['GetParameter', getParameter]]), { service: 'ssm', ...(callers && { callers }) }).fetch,
    port,
  );

const getParameter = (input: unknown) => {
  const { Name } = GetParameter.parse(input);
  const Value = imageParameters.get(Name);
  if (Value === undefined) throw new JsonApiError('ParameterNotFound', `There is no parameter ${Name}.`);
  return {
    Parameter: {
      ...{ Name, Value, Type: 'String', Version: 42, DataType: 'aws:ec2:image' },
      LastModifiedDate: publishedAt,
      ARN: `arn:aws:ssm:us-east-1::parameter${Name}`,
    },
  };
};
