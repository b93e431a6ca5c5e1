import { openSession } from '../../../conformance/open-session.ts';
import { provider } from '../../../conformance/provider.ts';
import type { Session } from '../../../conformance/session.ts';
import { vocabularyOf } from '../../../conformance/vocabulary.ts';
import type { Defect, FakeProvider } from './defect.ts';
import { token } from './fake-api.ts';
import { fakeControlPlane } from './fake-control-plane.ts';
import { type FakeServiceType, fakeKinds } from './fake-kinds.ts';
import { fakeProvider } from './fake-provider.ts';

/** Everything that a run can be given, with a fake provider that has a defect, or none. */
export const fakeSession = (
  defect?: Defect,
  serviceType: FakeServiceType = 'vm',
): { session: Session; fake: FakeProvider } => {
  const fake = fakeProvider(defect, serviceType);
  const { collection, spec } = fakeKinds[serviceType];
  const { fetch, now, registry } = fake;
  const url = new URL(`http://fake/api/v1alpha1/${collection}`);
  const session = openSession({
    provider: provider({ url, token, fetch, now }),
    serviceType,
    vocabulary: vocabularyOf(serviceType),
    spec,
    timeoutMs: 4_000,
    feed: fake,
    registry,
    agentRequests: {
      publish: async ({ key, resourceId, on }) => void fake.agentRequests.set(key, { id: resourceId, on }),
    },
    outside: { restartNats: fake.restartNats, stop: async (id) => fake.stop(id) },
    ...(serviceType === 'container' && { controlPlane: 'http://fake' }),
    ...{ fetch: fakeControlPlane(fake) },
    now,
    pause: fake.advance,
  });
  return { session, fake };
};
