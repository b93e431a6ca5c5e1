import type { Defect } from '../defect.ts';
import { problem } from '../fake-problem.ts';
import { isCreate, type KnownDefects, listsNone } from './known-defect.ts';

const conflictOnDuplicate = (): Defect => {
  const seen = new Set<string>();
  return {
    answer: async (request, next) => {
      const id = new URL(request.url).searchParams.get('id') ?? '';
      if (isCreate(request) && seen.has(id)) return problem(409, 'exists');
      if (isCreate(request)) seen.add(id);
      return next(request);
    },
  };
};

/** Each create makes a VM, whatever its id. */
const makesAnother = (): Defect => {
  let count = 0;
  return {
    answer: (request, next) => {
      count += 1;
      return next(
        new Request(
          request.url.replace(/\?id=[\w-]+/, (id) => `${id}-${count}`),
          request,
        ),
      );
    },
  };
};

export const idempotencyDefects: KnownDefects = {
  I1: [
    { what: 'answers a duplicate with 409', because: /409/, defect: conflictOnDuplicate() },
    { what: 'makes another one', because: /the retry's resource/, defect: makesAnother() },
  ],
  I2: [
    { what: 'answers a duplicate with 409', because: /409/, defect: conflictOnDuplicate() },
    { what: 'makes another one', because: /different ids/, defect: makesAnother() },
    listsNone,
  ],
  I3: [{ what: 'answers a duplicate with 409', because: /409/, defect: conflictOnDuplicate() }],
};
