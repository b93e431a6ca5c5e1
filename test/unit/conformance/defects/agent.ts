import type { Defect } from '../defect.ts';
import { problem } from '../fake-problem.ts';
import { unknownIs } from './delete.ts';
import { isCreate, isDelete, type KnownDefects, listsNone, refusals } from './known-defect.ts';

const keyOf = (request: Request): string => request.headers.get('idempotency-key') ?? '';
const lastOf = (request: Request): string => new URL(request.url).pathname.split('/').at(-1) ?? '';

const makesOneOfEach = (): Defect => {
  let count = 0;
  return {
    answer: (request, next) => {
      count += 1;
      return next(keyOf(request) ? new Request(`${request.url}?id=other-${count}`, request) : request);
    },
  };
};

const conflictOnKey = (): Defect => {
  const seen = new Set<string>();
  return {
    answer: async (request, next) => {
      const key = keyOf(request);
      if (isCreate(request) && seen.has(key)) return problem(409, 'exists');
      seen.add(key);
      return next(request);
    },
  };
};

const goneIs404 = (): Defect => {
  const deleted = new Set<string>();
  return {
    answer: async (request, next, fake) => {
      const id = lastOf(request);
      if (isDelete(request) && deleted.has(id) && !fake.vms.has(id)) return problem(404, 'no such VM');
      if (isDelete(request) && fake.vms.has(id)) deleted.add(id);
      return next(request);
    },
  };
};

export const agentDefects: KnownDefects = {
  B1: [
    {
      what: 'refuses a bare spec',
      because: /answered 400/,
      defect: {
        answer: async (request, next) => {
          if (isCreate(request) && !(await request.clone().text()).startsWith('{"spec"'))
            return problem(400, 'no spec');
          return next(request);
        },
      },
    },
  ],
  B2: [
    {
      what: 'makes a VM that nobody can name',
      because: /it made generated-1, of which DCM will never know/,
      defect: {
        answer: (request, next) => {
          const headers = new Headers(request.headers);
          headers.delete('idempotency-key');
          return next(new Request(request, { headers }));
        },
      },
    },
    { what: 'breaks on it', because: /500, not 400/, defect: refusals(() => problem(500, 'nil')) },
  ],
  B3: [
    {
      what: 'takes the key for the id',
      because: /it made .*, not conformance-/,
      defect: {
        answer: (request, next) => {
          const key = request.headers.get('idempotency-key');
          return next(
            new Request(key && isCreate(request) ? `${request.url}?id=${key}` : request.url, request),
          );
        },
      },
    },
  ],
  B4: [
    {
      what: 'knows the stream dcm-agent-requests only',
      because: /answered 400/,
      defect: {
        answer: async (request, next, fake) =>
          fake.agentRequests.get(keyOf(request))?.on === 'retry' ? problem(400, 'no id') : next(request),
      },
    },
  ],
  B5: [
    { what: 'makes one of each', because: /answered with 10 ids/, defect: makesOneOfEach() },
    { what: 'answers a duplicate with 409', because: /answered 409/, defect: conflictOnKey() },
    listsNone,
  ],
  B6: [
    {
      what: 'answers DELETE of an unknown id with 404',
      because: /an unknown id was answered 404/,
      defect: unknownIs(404),
    },
    {
      what: 'answers DELETE of what is being deleted with 404',
      because: /is being deleted was answered 404/,
      defect: {
        answer: async (request, next, fake) =>
          isDelete(request) && fake.vms.get(lastOf(request))?.status === 'DELETING'
            ? problem(404, 'no such VM')
            : next(request),
      },
    },
    {
      what: 'answers DELETE of what is gone with 404',
      because: /is gone was answered 404/,
      defect: goneIs404(),
    },
  ],
  B7: [
    {
      what: 'refuses without publishing FAILED',
      because: /answered 400, and FAILED was not published/,
      defect: { publish: (received) => (received.payload.includes('"FAILED"') ? [] : [received]) },
    },
    {
      what: 'breaks on a malformed spec',
      because: /answered 500, not 4xx/,
      defect: refusals(() => problem(500, 'nil')),
    },
  ],
};
