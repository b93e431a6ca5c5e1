import type { Defect } from '../defect.ts';
import { problem } from '../fake-problem.ts';
import { asPlainText, isCreate, isOne, type KnownDefects, refusals, rewriting } from './known-defect.ts';

/** Answers any create as if it had been a good one. */
const takesAll: Defect = {
  answer: async (request, next) => {
    const response = await next(request);
    return isCreate(request) && response.status === 400
      ? Response.json({ id: 'x' }, { status: 201 })
      : response;
  },
};
const says422: Defect = refusals(() => problem(422, 'cannot be'));

export const refusalDefects: KnownDefects = {
  F1: [
    { what: 'takes an empty body', because: /201, not 400/, defect: takesAll },
    { what: 'refuses as text', because: /text\/plain/, defect: refusals(asPlainText) },
    {
      what: 'refuses without a title',
      because: /without type and title/,
      defect: refusals(
        () =>
          new Response('{"type":"about:blank"}', {
            status: 400,
            headers: { 'content-type': 'application/problem+json' },
          }),
      ),
    },
    {
      what: 'says another status in the problem',
      because: /the problem says 500/,
      defect: refusals(
        () =>
          new Response('{"type":"a","title":"b","status":500}', {
            status: 400,
            headers: { 'content-type': 'application/problem+json' },
          }),
      ),
    },
    {
      what: 'creates it all the same',
      because: /GET finds the resource/,
      defect: { answer: rewriting(isOne, () => Response.json({})) },
    },
  ],
  F2: [{ what: 'refuses with 422', because: /422, not 400/, defect: says422 }],
  F3: [{ what: 'takes a text for a spec', because: /a text for a spec was answered 201/, defect: takesAll }],
  F4: [
    {
      what: 'breaks on what is not JSON',
      because: /500, not 400/,
      defect: refusals(() => problem(500, 'oops')),
    },
  ],
  F5: [
    {
      what: 'refuses text/plain with 415',
      because: /415, not 400/,
      defect: refusals(() => problem(415, 'no')),
    },
  ],
};
