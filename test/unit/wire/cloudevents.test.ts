import { describe, expect, it } from 'vitest';
import { CloudEventJson } from '../../../shared/wire/cloudevents.ts';

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
    { what: 'a batch', candidate: [event] },
    { what: 'text', candidate: JSON.stringify(event) },
    { what: 'nothing', candidate: null },
  ])('is not $what', ({ candidate }) => {
    expect(CloudEventJson.safeParse(candidate).success).toBe(false);
  });
});
