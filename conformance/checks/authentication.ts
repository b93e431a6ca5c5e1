import type { Group } from '../check.ts';
import { must, Skipped } from '../outcome.ts';
import type { Session } from '../session.ts';
import { mustBeProblem } from './problem.ts';

const source = 'RFC 9110 §15.5.2; osac-service-provider REQ-REG-115 (declared gap)';

const refusedWith = async ({ provider, newId, specOf }: Session, authorization: string) => {
  if (!provider.needsToken) throw new Skipped('needs --token, or credentials in the URL');
  const id = newId();
  const call = { authorization };
  const answers = [
    await provider.call('GET', call),
    await provider.read(id, call),
    await provider.create(id, { spec: specOf(id) }, call),
    await provider.call('DELETE', { ...call, path: `/${id}` }),
  ];
  for (const answer of answers) mustBeProblem(answer, 401, 'a request');
  const { status } = await provider.read(id);
  must(status === 404, 'the create was refused, but the resource exists');
};

export const authenticationChecks: Group = {
  title: 'Authentication',
  needs: '--token',
  checks: [
    {
      id: 'A1',
      sentence: 'refuses requests without credentials with 401 as application/problem+json',
      source,
      run: (session) => refusedWith(session, ''),
    },
    {
      id: 'A2',
      sentence: 'refuses requests with wrong credentials with 401 as application/problem+json',
      source,
      run: (session) => refusedWith(session, 'Bearer not-the-token'),
    },
  ],
};
