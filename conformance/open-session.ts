import { randomUUID } from 'node:crypto';
import type { EventFeed } from './events.ts';
import { type Lifetime, liveOnce } from './lifetime.ts';
import { must, NotConforming, reasonOf, Skipped } from './outcome.ts';
import { type Answer, idOf } from './provider.ts';
import type { Registration } from './registry.ts';
import type { Attempt, CreateForm, Given, Session, Spec } from './session.ts';

const stepMs = 200;

/** A form of create that a generation of DCM sends. */
type Form = (id: string, spec: Spec) => Promise<Answer>;

/** A create that succeeded, with its form for the next ones; or the reason why none did. */
type Specimen =
  | { readonly id: string; readonly form: Form }
  | { readonly id?: undefined; readonly refusal: string };

/** Begins a run. */
export const openSession = (given: Given): Session => {
  const { provider } = given;
  let isReported = false;

  const wrapped: Form = (id, spec) => provider.create(id, { spec });
  const bare: Form = (id, spec) => provider.create(id, spec);
  const agent: Form = async (resourceId, spec) => {
    if (given.agentRequests === undefined)
      throw new Skipped('needs --nats URL, and a stream dcm-agent-requests there');
    const key = randomUUID();
    await given.agentRequests.publish({ key, resourceId, spec, on: 'requests' });
    provider.remember(resourceId);
    return provider.create(undefined, spec, { headers: { 'idempotency-key': key } });
  };

  const forms: Readonly<Record<CreateForm, Form>> = { wrapped, bare, agent };
  const attempt = async (form: Form): Promise<Attempt> => {
    const id = session.newId();
    try {
      return { id, answer: await form(id, session.specOf(id)) };
    } catch (error) {
      if (error instanceof Skipped) throw error;
      return { id, error };
    }
  };
  const first: Readonly<Record<CreateForm, () => Promise<Attempt>>> = {
    wrapped: once(() => attempt(wrapped)),
    bare: once(() => attempt(bare)),
    agent: once(() => attempt(agent)),
  };

  const specimen = once(async (): Promise<Specimen> => {
    const refusals: string[] = [];
    for (const name of ['wrapped', 'bare', 'agent'] as const) {
      const made = await first[name]().catch((error: unknown) => ({ id: '', error, answer: undefined }));
      if (isMade(made)) return { id: idOf(made.answer?.json) ?? made.id, form: forms[name] };
      refusals.push(refusalOf(made));
    }
    return { refusal: refusals[0] ?? '' };
  });

  const specimenMade = async (): Promise<Extract<Specimen, { form: Form }>> => {
    const made = await specimen();
    if (made.id !== undefined) return made;
    const reason = `needs a create that succeeds, and the first one ${made.refusal}`;
    if (isReported) throw new Skipped(reason);
    isReported = true;
    throw new NotConforming(reason);
  };

  const lifetime = failingOnce((feed: EventFeed): Promise<Lifetime> => liveOnce(session, feed));

  const session: Session = {
    ...given,
    newId: () => `conformance-${randomUUID().slice(0, 8)}`,
    specOf: (id) => ({ ...given.spec, metadata: { ...objectOf(given.spec.metadata), name: id } }),
    async firstCreate(form) {
      const made = await first[form]();
      isReported ||= !isMade(made);
      return made;
    },
    specimen: async () => (await specimenMade()).id,
    async create(id, spec = session.specOf(id)) {
      const { form } = await specimenMade();
      const answer = await form(id, spec);
      must(answer.status < 300, `a create was answered ${answer.status}: ${answer.text.slice(0, 200)}`);
      return answer;
    },
    async lifetime() {
      if (given.feed === undefined) throw new Skipped('needs --nats URL');
      await specimenMade();
      return lifetime(given.feed);
    },
    registered: failingOnce(() => awaitRegistration(session)),
    async eventually(condition, withinMs = given.timeoutMs) {
      const deadline = given.now() + withinMs;
      while (!(await condition())) {
        if (given.now() > deadline) return false;
        await given.pause(stepMs);
      }
      return true;
    },
  };
  return session;
};

const once = <Value>(make: () => Promise<Value>): (() => Promise<Value>) => {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** Computes a value once. Where that fails, the first check that needs the value reports the reason, and the others are skipped. */
const failingOnce = <Value, Inputs extends readonly unknown[]>(
  make: (...inputs: Inputs) => Promise<Value>,
): ((...inputs: Inputs) => Promise<Value>) => {
  let made: Promise<Value> | undefined;
  let isReported = false;
  return async (...inputs) => {
    made ??= make(...inputs);
    try {
      return await made;
    } catch (error) {
      if (isReported) throw new Skipped(reasonOf(error));
      isReported = true;
      throw error;
    }
  };
};

export const isMade = ({ answer }: Attempt): boolean => answer !== undefined && answer.status < 300;

/** Why an attempt failed, as the end of a sentence. */
export const refusalOf = (attempt: Attempt): string =>
  attempt.answer
    ? `was answered ${attempt.answer.status}: ${attempt.answer.text.slice(0, 200)}`
    : `was not answered: ${reasonOf(attempt.error)}`;

const awaitRegistration = async ({ registry, eventually }: Session): Promise<readonly Registration[]> => {
  if (registry === undefined) throw new Skipped('needs --registry-port, and a provider that registers there');
  const came = await eventually(() => registry.registrations.length > 0);
  must(came, 'no registration came');
  return registry.registrations;
};

const objectOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});
