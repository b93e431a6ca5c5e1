import * as z from 'zod/mini';
import { type SignedCallParts, signedCall } from '../../../adapters/aws/signed-call.ts';
import { UnavailableError } from '../../../core/errors.ts';
import { targetKey } from '../../../core/target.ts';
import type { ServiceProbe } from '../../../ports/health-probes.ts';

type Parts = SignedCallParts & {
  /** Name or ARN of the ECS cluster of each target, by the target's key. */
  readonly ecsClusters: Readonly<Record<string, string>>;
};

const Answer = z.object({
  /** Of a refused call: `prefix#Code`, or the code alone. */
  __type: z.optional(z.string()),
  clusters: z.optional(z.array(z.object({ status: z.string() }))),
});

/**
 * DescribeClusters of the ECS cluster that the containers run in: it must be ACTIVE. Throttled counts as healthy.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html
 */
export const ecsProbe = ({ ecsClusters, ...parts }: Parts): ServiceProbe => {
  const call = signedCall(parts);
  return async (target) => {
    const { region } = target;
    const cluster = ecsClusters[targetKey(target)];
    const answer = await call({
      ...{ service: 'ecs', target, method: 'POST', path: '/' },
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AmazonEC2ContainerServiceV20141113.DescribeClusters',
      },
      body: JSON.stringify({ clusters: [cluster] }),
    });
    const { __type: refusal, clusters = [] } = readable(answer.text);
    const code = refusal?.replace(/^.*#/, '');
    if (code === 'ThrottlingException') return;
    if (answer.status !== 200)
      throw new UnavailableError(
        `ECS in ${region} answers ${code ?? `HTTP ${answer.status}`} to DescribeClusters`,
      );
    const state = clusters[0]?.status ?? 'missing';
    if (state !== 'ACTIVE') throw new UnavailableError(`the ECS cluster of ${region} is ${state}`);
  };
};

const readable = (text: string): z.infer<typeof Answer> => {
  try {
    return Answer.parse(JSON.parse(text));
  } catch {
    return {};
  }
};
