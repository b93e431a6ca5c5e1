import { randomUUID } from 'node:crypto';
import { type Lifetime, liveOnce } from './lifetime.ts';
import { must, Skipped } from './outcome.ts';
import { idOf } from './provider.ts';
import type { Registration } from './registry.ts';
import type { Given, Session } from './session.ts';

const stepMs = 200;

/** Begins a run. */
export const openSession = (given: Given): Session => {
  let specimen: Promise<string> | undefined;
  let lifetime: Promise<Lifetime> | undefined;
  let registered: Promise<readonly Registration[]> | undefined;

  const session: Session = {
    ...given,
    newId: () => `conformance-${randomUUID().slice(0, 8)}`,
    specOf: (id) => ({ ...given.spec, metadata: { ...objectOf(given.spec.metadata), name: id } }),
    specimen() {
      specimen ??= makeSpecimen(session);
      return specimen;
    },
    async lifetime() {
      if (given.feed === undefined) throw new Skipped('needs --nats URL');
      lifetime ??= liveOnce(session, given.feed);
      return lifetime;
    },
    registered() {
      registered ??= awaitRegistration(session);
      return registered;
    },
    async eventually(condition) {
      const deadline = given.now() + given.timeoutMs;
      while (!(await condition())) {
        if (given.now() > deadline) return false;
        await given.pause(stepMs);
      }
      return true;
    },
  };
  return session;
};

const makeSpecimen = async ({ provider, newId, specOf }: Session): Promise<string> => {
  const id = newId();
  const { status, json } = await provider.create(id, { spec: specOf(id) });
  must(status < 300, `a create with an id and a wrapped spec was answered ${status}`);
  return idOf(json) ?? id;
};

const awaitRegistration = async ({ registry, eventually }: Session): Promise<readonly Registration[]> => {
  if (registry === undefined) throw new Skipped('needs --registry-port, and a provider that registers there');
  const came = await eventually(() => registry.registrations.length > 0);
  must(came, 'no registration came');
  return registry.registrations;
};

const objectOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});
