import { describe } from 'vitest';
import { access } from './eks/access.ts';
import { clusters } from './eks/clusters.ts';
import { counting, faults } from './eks/faults.ts';
import { nodeGroups } from './eks/node-groups.ts';
import { eksSubject } from './eks/subject.ts';
import { updates } from './eks/updates.ts';
import { waiters } from './eks/waiters.ts';

describe('EKS emulator', () => {
  const subject = eksSubject();
  clusters(subject);
  nodeGroups(subject);
  updates(subject);
  access(subject);
  faults(subject);
  waiters(subject);
  counting();
});
