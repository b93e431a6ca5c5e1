import { problem } from '../fake-problem.ts';
import { isCreate, json, type KnownDefects, rewriting } from './known-defect.ts';

export const createDefects: KnownDefects = {
  C1: [
    {
      what: 'answers a create with 202',
      because: /answered 202/,
      defect: {
        answer: rewriting(
          isCreate,
          json((body) => body, 202),
        ),
      },
    },
    {
      what: 'answers a create as text',
      because: /text\/plain/,
      defect: {
        answer: rewriting(
          isCreate,
          async (response) => new Response(await response.text(), { status: response.status }),
        ),
      },
    },
    {
      what: 'wants the bare spec',
      because: /answered 400/,
      defect: {
        answer: async (request, next) => {
          if (isCreate(request) && (await request.clone().text()).startsWith('{"spec"'))
            return problem(400, 'unknown key spec');
          return next(request);
        },
      },
    },
  ],
  C2: [
    {
      what: 'makes an id of its own',
      because: /id is other/,
      defect: {
        answer: rewriting(
          isCreate,
          json((body) => ({ ...body, id: 'other' })),
        ),
      },
    },
    {
      what: 'leaves the path out',
      because: /lacks id, path or status/,
      defect: {
        answer: rewriting(
          isCreate,
          json(({ path: _, ...body }) => body),
        ),
      },
    },
    {
      what: 'gives the path of the collection',
      because: /path is vms/,
      defect: {
        answer: rewriting(
          isCreate,
          json((body) => ({ ...body, path: 'vms' })),
        ),
      },
    },
    {
      what: 'has a status of its own',
      because: /"Creating"/,
      defect: {
        answer: rewriting(
          isCreate,
          json((body) => ({ ...body, status: 'Creating' })),
        ),
      },
    },
  ],
  C3: [
    {
      what: 'is slow to create',
      because: /31000 ms/,
      defect: {
        answer: (request, next, fake) => {
          if (isCreate(request)) fake.stall(31_000);
          return next(request);
        },
      },
    },
  ],
  C4: [
    {
      what: 'breaks on a create without an id',
      because: /500, not 400/,
      defect: {
        answer: async (request, next) =>
          isCreate(request) && !request.url.includes('id=') ? problem(500, 'nil') : next(request),
      },
    },
    {
      what: 'makes ids that DCM does not take',
      because: /"VM_1"/,
      defect: {
        answer: rewriting(
          isCreate,
          json((body) => ({ ...body, id: 'VM_1' })),
        ),
      },
    },
  ],
  C5: [
    {
      what: 'takes any id',
      because: /"Upper" was answered 201/,
      defect: {
        answer: (request, next) => next(new Request(request.url.replace(/id=.*/, 'id=fine'), request)),
      },
    },
  ],
  C6: [
    {
      what: 'refuses keys that it does not know',
      because: /answered 400/,
      defect: {
        answer: async (request, next) =>
          (await request.clone().text()).includes('not_yet_invented')
            ? problem(400, 'unknown key')
            : next(request),
      },
    },
  ],
};
