import type { ServiceType } from '../../shared/core/kind.ts';

/** The resource that commands are about. */
type Commanded = {
  readonly serviceType: ServiceType;
  readonly dcmId: string;
  /** The id or name that the AWS service gave it. */
  readonly resourceId: string;
  /** Of a container, as far as it is known. */
  readonly taskArn: string | undefined;
  /** The name of the target. */
  readonly target: string;
  readonly region: string;
  /** Of the resource in the provider's API. */
  readonly url: string;
};

/** A word as a POSIX shell reads it. Whoever may tag an instance chooses the DCM id of an adopted VM, so it can have any characters. */
const quoted = (word: string): string =>
  /^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Commands that read a resource, each by the name of the program, to be pasted into a shell. */
export const commandsFor = (one: Commanded): readonly (readonly [string, string])[] => {
  const { serviceType, dcmId, resourceId, taskArn, target, region, url } = one;
  const cluster = taskArn?.split('/').at(-2) ?? 'CLUSTER';
  const id = quoted(resourceId);
  const aws = {
    vm: `aws ec2 describe-instances --region ${region} --instance-ids ${id}`,
    container: `aws ecs describe-tasks --region ${region} --cluster ${cluster} --tasks ${id}`,
    cluster: `aws eks describe-cluster --region ${region} --name ${id}`,
  }[serviceType];
  return [
    ['curl', `curl -H "Authorization: Bearer $TOKEN" ${quoted(url)}`],
    ['ec2sp', `ec2sp ${serviceType} get ${quoted(dcmId)} --target ${target}`],
    ['aws', aws],
  ];
};
