import { openSession } from '../../../conformance/open-session.ts';
import { provider } from '../../../conformance/provider.ts';
import type { Session } from '../../../conformance/session.ts';
import { vocabularyOf } from '../../../conformance/vocabulary.ts';
import type { Defect, FakeProvider } from './defect.ts';
import { token } from './fake-api.ts';
import { fakeProvider } from './fake-provider.ts';

export const spec = { service_type: 'vm', vcpu: { count: 1 }, memory: { size: '1GB' } };

/** Everything that a run can be given, with a fake provider that has a defect, or none. */
export const fakeSession = (defect?: Defect): { session: Session; fake: FakeProvider } => {
  const fake = fakeProvider(defect);
  const { fetch, now, registry } = fake;
  const url = new URL('http://fake/api/v1alpha1/vms');
  const session = openSession({
    provider: provider({ url, token, fetch, now }),
    serviceType: 'vm',
    vocabulary: vocabularyOf('vm'),
    spec,
    timeoutMs: 4_000,
    feed: fake,
    registry,
    agentRequests: {
      publish: async ({ key, resourceId, on }) => void fake.agentRequests.set(key, { id: resourceId, on }),
    },
    now,
    pause: fake.advance,
  });
  return { session, fake };
};
