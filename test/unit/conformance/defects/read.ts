import { problem } from '../fake-problem.ts';
import {
  asPlainText,
  isList,
  isOne,
  json,
  type KnownDefects,
  listsNone,
  refusals,
  rewriting,
} from './known-defect.ts';

let flip = false;

export const readDefects: KnownDefects = {
  G1: [
    {
      what: 'wraps the resource',
      because: /lacks the id/,
      defect: {
        answer: rewriting(
          isOne,
          json((body) => ({ vm: body })),
        ),
      },
    },
    {
      what: 'says the status in small letters',
      because: /"provisioning"/,
      defect: {
        answer: rewriting(
          isOne,
          json((body) => ({ ...body, status: String(body.status).toLowerCase() })),
        ),
      },
    },
  ],
  G2: [
    {
      what: 'answers an unknown id with 500',
      because: /500, not 404/,
      defect: refusals(() => problem(500, 'not found'), 404),
    },
    { what: 'answers an unknown id as text', because: /text\/plain/, defect: refusals(asPlainText, 404) },
  ],
  G3: [
    {
      what: 'lists under "items"',
      because: /a page must be \{"results"/,
      defect: {
        answer: rewriting(
          isList,
          json(({ results, ...body }) => ({ ...body, items: results })),
        ),
      },
    },
    {
      what: 'lists something else under "vms" than under "results"',
      because: /list different resources/,
      defect: {
        answer: rewriting(
          isList,
          json((body) => ({ ...body, vms: [] })),
        ),
      },
    },
    {
      what: 'lists a bare list',
      because: /a page must be/,
      defect: {
        answer: rewriting(
          isList,
          json(({ results }) => results),
        ),
      },
    },
    listsNone,
  ],
  G4: [
    {
      what: 'ignores the page size',
      because: /at most 1 has/,
      defect: {
        answer: (request, next) =>
          next(new Request(request.url.replace('max_page_size=1', 'max_page_size=100'), request)),
      },
    },
    {
      what: 'shows the first page only',
      because: /on no page/,
      defect: {
        answer: rewriting(
          isList,
          json(({ results }) => ({ results })),
        ),
      },
    },
    {
      what: 'shows the first page for ever',
      because: /does not end/,
      defect: {
        answer: (request, next) => next(new Request(request.url.replace(/&page_token=.*/, ''), request)),
      },
    },
  ],
  G5: [
    {
      what: 'lists in any order',
      because: /the order was/,
      defect: {
        answer: rewriting(
          isList,
          json(({ results, ...body }) => {
            flip = !flip;
            return { ...body, results: Array.isArray(results) && flip ? results.reverse() : results };
          }),
        ),
      },
    },
  ],
  G6: [
    {
      what: 'ignores bad page sizes',
      because: /max_page_size=-1 was answered 200/,
      defect: {
        answer: (request, next) =>
          next(new Request(request.url.replace(/max_page_size=(-1|many)/, ''), request)),
      },
    },
    {
      what: 'breaks on a page size of 0',
      because: /max_page_size=0 was answered 500/,
      defect: {
        answer: async (request, next) =>
          request.url.endsWith('max_page_size=0') ? problem(500, 'division') : next(request),
      },
    },
  ],
  G7: [
    {
      what: 'ignores page tokens',
      because: /200, not 400/,
      defect: {
        answer: (request, next) => next(new Request(request.url.replace(/page_token=.*/, ''), request)),
      },
    },
  ],
};
