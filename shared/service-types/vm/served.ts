import type { ServedType } from '../../ports/served-type.ts';
import { vmKind } from './kind.ts';
import type { Instances } from './ports.ts';
import { VmFacts, type VmRecords } from './record.ts';

/** VMs on EC2, as the normaliser and the poller need them. */
export const servedVms = (instances: Instances, records?: VmRecords): ServedType => ({
  kind: vmKind,
  service: 'EC2',
  resources: instances,
  describeTimeoutMs: 500, // two such timeouts and one second between two deliveries: DELETED without a known reason waits for two seconds
  records,
  factsSeen: (seen) => VmFacts.parse(seen),
});
