import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloudEventJson, isCloudEventJson } from '../../../shared/wire/cloudevents.ts';

const event = {
  specversion: '1.0',
  id: 'order-7',
  source: 'shop',
  type: 'shop.order',
  subject: 'dcm.orders',
};

describe('CloudEvent to be published', () => {
  it('keeps what publishing does not need to know', () => {
    const more = { ...event, data: { total: 7 }, traceparent: '00-a-b-01', partitionkey: 'customer-1' };

    expect(CloudEventJson.parse(more)).toEqual(more);
  });

  it.each(['dcm.vm', 'dcm.container', 'dcm.three-tier-app-demo', 'dcm.v2'])('goes to %s', (subject) => {
    expect(CloudEventJson.parse({ ...event, subject }).subject).toBe(subject);
  });

  it.each([
    'dcm',
    'dcm.',
    '.vm',
    'vm',
    'dcm.vm.status',
    'dcm.providers.ec2-sp.status.update',
    'dcm.VM',
    'DCM.vm',
    'dcm.*',
    'dcm.>',
    'dcm.v m',
    'dcm.vm\r\nPUB x',
    'dcm.vm\n',
    'other.vm',
    'x.dcm.vm',
    '$JS.API.STREAM.DELETE',
    '',
  ])('does not go to %j', (subject) => {
    expect(CloudEventJson.safeParse({ ...event, subject }).success).toBe(false);
  });

  it.each(['specversion', 'id', 'source', 'type', 'subject'])('needs %s', (attribute) => {
    expect(CloudEventJson.safeParse({ ...event, [attribute]: undefined }).success).toBe(false);
    expect(CloudEventJson.safeParse({ ...event, [attribute]: '' }).success).toBe(false);
    expect(CloudEventJson.safeParse({ ...event, [attribute]: 1 }).success).toBe(false);
  });

  it.each([
    { what: 'another version', candidate: { ...event, specversion: '0.3' } },
    { what: 'an empty partition key', candidate: { ...event, partitionkey: '' } },
    { what: 'an id with half a surrogate pair', candidate: { ...event, id: 'a\ud83d' } },
    { what: 'a batch', candidate: [event] },
    { what: 'text', candidate: JSON.stringify(event) },
    { what: 'nothing', candidate: null },
  ])('is not $what', ({ candidate }) => {
    expect(CloudEventJson.safeParse(candidate).success).toBe(false);
  });

  it('is known by what the schema says, whatever it is', () => {
    const values = fc.constantFrom<unknown>(
      '1.0',
      'dcm.vm',
      'dcm.vm.x',
      '',
      'a',
      '\ud83d',
      1,
      null,
      undefined,
      {},
      [],
    );
    const attributes = ['specversion', 'id', 'source', 'type', 'subject', 'partitionkey', 'data'];
    const changes = fc.dictionary(fc.constantFrom(...attributes), values, { maxKeys: 2 });
    const candidates = fc.oneof(
      changes.map((change): unknown => ({ ...event, ...change })),
      values,
    );

    fc.assert(
      fc.property(candidates, (candidate) => {
        expect(isCloudEventJson(candidate)).toBe(CloudEventJson.safeParse(candidate).success);
      }),
      { numRuns: 2_000 },
    );
  });
});
