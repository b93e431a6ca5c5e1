import { describe, expect, it } from 'vitest';
import { groupsFor } from '../../../conformance/groups.ts';
import { openSession } from '../../../conformance/open-session.ts';
import { runChecks } from '../../../conformance/run.ts';
import { vocabularyOf } from '../../../conformance/vocabulary.ts';
import type { Defect } from './defect.ts';
import { isCreate, isHealth, isList, json, rewriting } from './defects/known-defect.ts';
import { token } from './fake-api.ts';
import type { FakeServiceType } from './fake-kinds.ts';
import { problem } from './fake-problem.ts';
import { fakeSession } from './fake-session.ts';

const groups = groupsFor('vm');

const notPassed = async (defect?: Defect, serviceType: FakeServiceType = 'vm') => {
  const results = await runChecks(groupsFor(serviceType), fakeSession(defect, serviceType).session);
  expect(results.length).toBeGreaterThan(60);
  return results.flatMap(({ id, verdict }) => (verdict === 'pass' ? [] : [`${id} ${verdict}`]));
};

const isAuthenticated = (request: Request) => request.headers.get('authorization') === `Bearer ${token}`;
const hasId = (request: Request) => new URL(request.url).searchParams.has('id');

describe('the conformance suite', () => {
  it('finds nothing wrong with a provider that does everything right', async () => {
    expect(await notPassed()).toEqual([]);
  });

  it.each([
    [
      'lists under the collection’s own name',
      rewriting(
        isList,
        json(({ results, ...body }) => (results === undefined ? body : { ...body, vms: results })),
      ),
    ],
    [
      'lists under both names',
      rewriting(
        isList,
        json((body) => (body.results === undefined ? body : { ...body, vms: body.results })),
      ),
    ],
  ])('finds nothing wrong with a provider that %s', async (_, answer) => {
    expect(await notPassed({ answer })).toEqual([]);
  });

  it('finds nothing wrong with timestamps in the data of events', async () => {
    const publish: Defect['publish'] = (received) => {
      const event = JSON.parse(received.payload);
      const data = { ...event.data, timestamp: '2026-01-02T03:04:05Z' };
      return [{ ...received, payload: JSON.stringify({ ...event, data }) }];
    };

    expect(await notPassed({ publish })).toEqual([]);
  });

  it('finds nothing wrong with uptimes of two processes that answer in turn', async () => {
    let polls = 0;
    const answer = rewriting(
      isHealth,
      json((body) => {
        polls += 1;
        return { ...body, uptime: Number(body.uptime) - (polls % 2 === 0 ? 1 : 0) };
      }),
    );

    expect(await notPassed({ answer })).toEqual([]);
  });

  it('skips the checks of outputs where a provider publishes none', async () => {
    const publish: Defect['publish'] = (received) => {
      const { data, ...event } = JSON.parse(received.payload);
      const { output_spec: _, ...others } = data;
      return [{ ...received, payload: JSON.stringify({ ...event, data: others }) }];
    };

    expect(await notPassed({ publish })).toEqual(['E17 skip', 'E18 skip']);
  });

  it('finds nothing wrong with a container that is PENDING at first', async () => {
    const { session } = fakeSession({
      publish: (received) => [
        { ...received, payload: received.payload.replace('"PROVISIONING"', '"PENDING"') },
      ],
    });
    const containers = openSession({ ...session, vocabulary: vocabularyOf('container') });
    const pending = groups.map((group) => ({
      ...group,
      checks: group.checks.filter(({ id }) => ['E6', 'E7', 'E13'].includes(id)),
    }));

    expect((await runChecks(pending, containers)).map(({ verdict }) => verdict)).toEqual([
      'pass',
      'pass',
      'pass',
    ]);
  });

  it('lets a provider of containers deviate where DCM’s suite and the environment agent demand contrary answers', async () => {
    expect(await notPassed({}, 'container')).toEqual(['U9 deviation', 'U10 deviation']);
  });

  it('lets a provider of containers be PROVISIONING, and refuse a create without an id', async () => {
    const answer: Defect['answer'] = async (request, next) =>
      isCreate(request) &&
      isAuthenticated(request) &&
      !hasId(request) &&
      !request.headers.has('idempotency-key')
        ? problem(400, 'no id')
        : next(request);
    const publish: Defect['publish'] = (received) => [
      { ...received, payload: received.payload.replace('"PENDING"', '"PROVISIONING"') },
    ];

    expect(await notPassed({ answer, publish }, 'container')).toEqual([
      'U3 deviation',
      'U9 deviation',
      'U10 deviation',
      'U11 deviation',
      'U13 deviation',
      'U14 deviation',
    ]);
  });

  it('finds that a provider of containers is for DCM’s suite alone where it answers 404 to a DELETE', async () => {
    const answer: Defect['answer'] = async (request, next, fake) => {
      const id = new URL(request.url).pathname.split('/').at(-1) ?? '';
      const isGone = !fake.vms.has(id) || fake.vms.get(id)?.status === 'DELETING';
      const isMeant = isAuthenticated(request) && ['GET', 'DELETE'].includes(request.method);
      return isMeant && request.url.includes('/containers/') && id !== 'health' && isGone
        ? problem(404, 'no such container')
        : next(request);
    };

    expect(await notPassed({ answer }, 'container')).toEqual(['B6 fail', 'D2 fail', 'D3 fail']);
  });

  it('finds nothing wrong with a provider of clusters that never answers 404 to a DELETE', async () => {
    expect(await notPassed({}, 'cluster')).toEqual(['K5 deviation']);
  });

  it('checks a provider that takes agents’ creates only, and fails just the checks of the other form', async () => {
    const answer: Defect['answer'] = async (request, next) =>
      isCreate(request) && isAuthenticated(request) && hasId(request)
        ? problem(400, 'unknown parameter id')
        : next(request);

    expect(await notPassed({ answer })).toEqual(['B1 fail', 'C1 fail', 'I1 fail', 'I2 fail', 'I3 fail']);
  });
});

describe('a failed create', () => {
  const refusesAll: Defect['answer'] = async (request, next) =>
    isCreate(request) && isAuthenticated(request) && (await request.clone().text()).includes('vcpu')
      ? problem(400, 'no such image')
      : next(request);

  it('fails the checks that are about it, and has those skipped that depend on it', async () => {
    const outcomes = await notPassed({ answer: refusesAll });

    expect(outcomes.filter((outcome) => outcome.endsWith('fail'))).toEqual(['B1 fail', 'B3 fail', 'C1 fail']);
    expect(outcomes.length).toBeGreaterThan(30);
  });

  it('fails one check also where none that is about it is made', async () => {
    const reading = groups.filter(({ title }) => title === 'Get and list');

    const results = await runChecks(reading, fakeSession({ answer: refusesAll }).session);

    const [first, ...others] = results.filter(({ verdict }) => verdict !== 'pass');
    expect(first).toMatchObject({
      id: 'G1',
      verdict: 'fail',
      reason: expect.stringMatching(/^needs a create that succeeds, and the first one was answered 400: /),
    });
    expect(others.map(({ verdict }) => verdict)).toEqual(['skip', 'skip', 'skip']);
  });

  it('is told by the first check of the events alone where no event comes', async () => {
    const events = groups.filter(({ title }) => title === 'Status events');

    const results = await runChecks(events, fakeSession({ publish: () => [] }).session);

    const failed = results.filter(({ verdict }) => verdict === 'fail');
    expect(failed).toMatchObject([{ id: 'E1', reason: 'no event came' }]);
    expect(results.filter(({ verdict }) => verdict === 'skip')).toHaveLength(results.length - 1);
  });
});
