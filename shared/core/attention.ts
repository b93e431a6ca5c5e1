import type { ServiceType } from './kind.ts';

const broken: readonly string[] = ['FAILED', 'DEGRADED', 'UNAVAILABLE'];
/** Their messages give the reason of an end or a stop that somebody wanted. */
const explained: readonly string[] = ['STOPPING', 'STOPPED', 'SUCCEEDED', 'DELETING', 'DELETED'];

type Reported = {
  readonly serviceType: ServiceType;
  /** DCM's status. */
  readonly status: string;
  /** As it was published: `instance i-1 is running: impaired`, where a warning follows the state. */
  readonly message?: string | undefined;
};

/**
 * Whether a person should look at a resource, by its current status alone: it is broken, or its message has a warning. A cluster that is being
 * deleted has a message with more than its state only where EKS refuses the deletion.
 */
export const needsAttention = ({ serviceType, status, message = '' }: Reported): boolean => {
  if (broken.includes(status)) return true;
  const isWarned = / is [\w-]+: /.test(message);
  if (status === 'DELETING') return serviceType === 'cluster' && isWarned;
  return isWarned && !explained.includes(status);
};
