import type { ServedType } from '../../ports/served-type.ts';
import { containerKind } from './kind.ts';
import type { Tasks } from './ports.ts';
import { ContainerFacts, type ContainerRecords, factsSeen } from './record.ts';

/** Containers on ECS, as the normaliser and the poller need them. */
export const servedContainers = (tasks: Tasks, records?: ContainerRecords): ServedType => ({
  kind: containerKind,
  service: 'ECS',
  resources: tasks,
  pagesAtOnce: 11, // of 100 tasks each, and the stopped ones
  describeTimeoutMs: 1_000, // ECS, and EC2 for public addresses
  records,
  factsSeen: (seen) => factsSeen(ContainerFacts.parse(seen)),
});
