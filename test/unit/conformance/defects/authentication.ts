import { problem } from '../fake-problem.ts';
import { type KnownDefects, refusals } from './known-defect.ts';

const authenticated = (request: Request): Request => {
  const headers = new Headers(request.headers);
  headers.set('authorization', 'Bearer the-token');
  return new Request(request, { headers });
};

export const authenticationDefects: KnownDefects = {
  A1: [
    {
      what: 'is open',
      because: /200, not 401/,
      defect: { answer: (request, next) => next(authenticated(request)) },
    },
    { what: 'refuses with 403', because: /403, not 401/, defect: refusals(() => problem(403, 'no'), 401) },
  ],
  A2: [
    {
      what: 'takes any token',
      because: /200, not 401/,
      defect: {
        answer: (request, next) =>
          next(request.headers.has('authorization') ? authenticated(request) : request),
      },
    },
  ],
};
