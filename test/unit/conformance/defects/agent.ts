import { problem } from '../fake-problem.ts';
import { isCreate, type KnownDefects, refusals } from './known-defect.ts';

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
};
