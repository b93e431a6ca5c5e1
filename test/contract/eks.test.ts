import { describe } from 'vitest';
import { clusters } from './eks/clusters.ts';
import { eksSubject } from './eks/subject.ts';

describe('EKS emulator', () => {
  const subject = eksSubject();
  clusters(subject);
});
