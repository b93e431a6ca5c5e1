import { type SignedCallParts, signedCall } from '../../../adapters/aws/signed-call.ts';
import { UnavailableError } from '../../../core/errors.ts';
import type { ServiceProbe } from '../../../ports/health-probes.ts';

/** The codes of a healthy EC2: the dry run succeeded, or requests are throttled. */
const healthyCodes: readonly (string | undefined)[] = ['DryRunOperation', 'RequestLimitExceeded'];

/**
 * A dry run of DescribeInstances, of which EC2 checks only the permission.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
 */
export const ec2DryRun = (parts: SignedCallParts): ServiceProbe => {
  const call = signedCall(parts);
  return async (target) => {
    const { region } = target;
    const { status, text } = await call({
      ...{ service: 'ec2', target, method: 'POST', path: '/' },
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: 'Action=DescribeInstances&DryRun=true&Version=2016-11-15',
    });
    const code = /<Code>(\w+(?:\.\w+)*)<\/Code>/.exec(text)?.[1];
    if (!healthyCodes.includes(code))
      throw new UnavailableError(`EC2 in ${region} answers ${code ?? `HTTP ${status}`} to DescribeInstances`);
  };
};
