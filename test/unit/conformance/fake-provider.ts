import { registry as newRegistry } from '../../../conformance/registry.ts';
import type { Defect, FakeAgentRequest, FakeProvider } from './defect.ts';
import { fakeApi } from './fake-api.ts';
import { fakeEvents } from './fake-events.ts';
import { type FakeServiceType, fakeKinds } from './fake-kinds.ts';
import type { ListedVm } from './fake-list.ts';
import { fakeRegistrar, registryToken } from './fake-registrar.ts';

const stepMs = 500;

/** A conforming provider in memory, whose time passes only when it is told to. */
export const fakeProvider = (defect: Defect = {}, serviceType: FakeServiceType = 'vm'): FakeProvider => {
  const kind = fakeKinds[serviceType];
  let now = 0;
  let restarts = 0;
  const due: { readonly at: number; readonly run: () => unknown }[] = [];
  const later = (run: () => unknown) => void due.push({ at: now + stepMs, run });
  const vms = new Map<string, ListedVm>();
  const agentRequests = new Map<string, FakeAgentRequest>();
  const registry = newRegistry({ token: registryToken });
  const events = fakeEvents(
    (event) => defect.publish?.(event, fake) ?? [event],
    () => now,
    kind,
  );
  const tell = (id: string, status: string) => {
    vms.set(id, { id, status });
    events.tell(id, status);
  };
  const create = (id: string, spec: Readonly<Record<string, unknown>>) => {
    if (vms.has(id)) return;
    const continueFrom = ([status = '', ...others]: readonly string[]): void => {
      tell(id, status);
      if (others.length > 0) later(() => vms.get(id)?.status === status && continueFrom(others));
    };
    continueFrom(kind.course(spec));
  };
  const remove = (id: string) => {
    if (!vms.has(id) || vms.get(id)?.status === 'DELETING') return;
    tell(id, 'DELETING');
    later(() => {
      tell(id, 'DELETED');
      vms.delete(id);
    });
  };
  const api = fakeApi({
    kind,
    vms,
    agentRequests,
    create,
    remove,
    fail: (id) => events.tell(id, 'FAILED'),
    now: () => now,
  });
  const next = async (request: Request) => api.fetch(request);

  const fake: FakeProvider = {
    fetch: (input, { signal: _, ...init } = {}) => fake.handle(new Request(input, init)),
    handle: (request) => defect.answer?.(request, next, fake) ?? next(request),
    ...{ received: events.received, events, registry, vms, agentRequests },
    ...{ restarts: () => restarts, stop: (id) => tell(id, 'FAILED') },
    restartNats: async () => {
      restarts += 1;
    },
    now: () => now,
    stall: (ms) => {
      now += ms;
    },
    async advance(ms) {
      now += ms;
      for (const one of due.splice(0)) {
        if (one.at <= now) await one.run();
        else due.push(one);
      }
    },
  };
  fakeRegistrar(registry, later, kind, defect.register);
  return fake;
};
