import { Ec2Error } from './ec2-error.ts';
import type { Faults } from './faults.ts';

const sentences = {
  InstanceLimitExceeded: [400, 'You have requested more instances than your current instance limit allows.'],
  InternalError: [500, 'An internal error has occurred'],
  MaxSpotInstanceCountExceeded: [400, 'Max spot instance count exceeded'],
  OptInRequired: [401, 'You are not subscribed to this service.'],
  UnauthorizedOperation: [
    403,
    'You are not authorized to perform this operation. Encoded authorization failure message: bm90IGEgcmVhbCBvbmU',
  ],
  Unavailable: [503, "The server is overloaded and can't handle the request."],
  VcpuLimitExceeded: [400, 'You have requested more vCPU capacity than your current vCPU limit allows.'],
} as const satisfies Record<string, readonly [Ec2Error['status'], string]>;

/** What EC2 can be made to answer to every call of an action. */
export type Refusal = keyof typeof sentences;

/** @throws Ec2Error where this action is refused now, in a dry run too. */
export const refuse = (action: string, { refuse: refusals }: Faults): void => {
  const code = refusals[action];
  if (code === undefined) return;
  const [status, message] = sentences[code];
  throw new Ec2Error(code, message, status);
};
