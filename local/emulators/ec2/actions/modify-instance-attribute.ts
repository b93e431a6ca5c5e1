import * as z from 'zod';
import { action, done } from '../action.ts';
import { invalidCombination } from '../ec2-error.ts';
import { Flag } from '../query.ts';

const Request = z.object({
  InstanceId: z.string(),
  DisableApiTermination: z.object({ Value: Flag }).optional(),
  Attribute: z.string().optional(),
  Value: z.string().optional(),
});

/**
 * Knows one attribute: disableApiTermination, in both ways to write it.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
 */
export const modifyInstanceAttribute = action(
  Request,
  ({ InstanceId, DisableApiTermination, Attribute, Value }, region) => {
    region.find([InstanceId]);
    const named = Attribute === 'disableApiTermination' ? Flag.safeParse(Value).data : undefined;
    const disableApiTermination = DisableApiTermination?.Value ?? named;
    if (disableApiTermination === undefined) {
      throw invalidCombination('Of the attributes, only disableApiTermination can be modified here.');
    }
    return () => {
      region.amend(InstanceId, { disableApiTermination });
      return done;
    };
  },
);
