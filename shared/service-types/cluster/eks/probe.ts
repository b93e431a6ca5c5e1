import { type SignedCallParts, signedCall } from '../../../adapters/aws/signed-call.ts';
import { UnavailableError } from '../../../core/errors.ts';
import type { ServiceProbe } from '../../../ports/health-probes.ts';

/**
 * ListClusters, of one name. Throttled counts as healthy.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ListClusters.html
 */
export const eksProbe = (parts: SignedCallParts): ServiceProbe => {
  const call = signedCall(parts);
  return async (target) => {
    const { region } = target;
    const { status, text } = await call({
      ...{ service: 'eks', target, method: 'GET', path: '/clusters?maxResults=1' },
    });
    if (status === 200 || status === 429 || text.includes('ThrottlingException')) return;
    throw new UnavailableError(`EKS in ${region} answers HTTP ${status} to ListClusters`);
  };
};
