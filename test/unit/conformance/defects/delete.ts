import type { Defect } from '../defect.ts';
import { problem } from '../fake-problem.ts';
import { isDelete, type KnownDefects, rewriting } from './known-defect.ts';

export const unknownIs = (status: number): Defect => ({
  answer: async (request, next, fake) => {
    const id = new URL(request.url).pathname.split('/').at(-1) ?? '';
    const isThere = fake.vms.has(id) && fake.vms.get(id)?.status !== 'DELETING';
    return isDelete(request) && !isThere ? problem(status, 'no such VM') : next(request);
  },
});

export const deleteDefects: KnownDefects = {
  D1: [
    {
      what: 'answers DELETE with 200',
      because: /answered 200/,
      defect: { answer: rewriting(isDelete, () => Response.json({})) },
    },
  ],
  D2: [
    {
      what: 'answers a second DELETE with 404',
      because: /second DELETE was answered 404/,
      defect: unknownIs(404),
    },
  ],
  D3: [
    {
      what: 'answers DELETE of an unknown id with 404',
      because: /unknown id was answered 404/,
      defect: unknownIs(404),
    },
  ],
  D4: [
    {
      what: 'breaks on an escaped slash',
      because: /was answered 500/,
      defect: {
        answer: async (request, next) => (/%2f/i.test(request.url) ? problem(500, 'no') : next(request)),
      },
    },
  ],
  D5: [
    {
      what: 'never lets go',
      because: /GET still answers 200/,
      defect: {
        answer: async (request, next) =>
          isDelete(request) ? new Response(null, { status: 204 }) : next(request),
      },
    },
  ],
};
