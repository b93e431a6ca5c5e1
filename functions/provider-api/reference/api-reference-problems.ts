import { type ProblemCode, problemKinds } from '../../../shared/wire/problem.ts';
import { exampleProblem } from './api-examples.ts';
import { table } from './markdown-table.ts';

const meanings = {
  'invalid-argument':
    'Something in the request is not as it must be, contradicts itself, or names what is not there; `detail` names each field and what was expected.',
  unauthenticated: 'There are no credentials, or they are not accepted.',
  'permission-denied': 'AWS does not permit the provider to do it: its operator has to act.',
  'not-found': 'There is no such VM, or no such path.',
  'method-not-allowed': 'The path has no such method; `Allow` says which it has.',
  'failed-precondition':
    'The state that the VM is in does not allow it, or its instance was not launched by this provider.',
  'payload-too-large': 'The body is larger than any spec.',
  unprocessable: 'The spec is right, and is beyond what the operator allows or has.',
  'resource-exhausted': 'AWS throttles, or a quota of the account is used up.',
  internal: 'The provider failed; its log has the reason under the id of the request.',
  upstream: 'AWS answered what nobody can read, or failed.',
  unavailable: 'Something that is needed does not answer, or is busy with the same VM.',
  'insufficient-capacity': 'EC2 has no room for such an instance wherever it was tried.',
} satisfies Record<ProblemCode, string>;
const meaning: ReadonlyMap<string, string> = new Map(Object.entries(meanings));

/** Every problem, and what to make of it. */
export const problemSection = (): string =>
  [
    '## Problems',
    'Every error is `application/problem+json` ([Problem](#problem)). Its `type` is `https://dcm-project.github.io/problems/` with one of these behind it.',
    table(
      ['type', 'status', 'what it means', 'a retry can help', '`Retry-After`'],
      Object.entries(problemKinds).map(([code, kind]) => [
        `\`${code}\``,
        String(kind.status),
        meaning.get(code) ?? '',
        kind.retryable ? 'yes' : 'no',
        'retryAfterSeconds' in kind ? `${kind.retryAfterSeconds} s` : '–',
      ]),
    ),
    'For example:',
    `\`\`\`json\n${JSON.stringify(exampleProblem, undefined, 2)}\n\`\`\``,
  ].join('\n\n');
