import { describe, expect, it } from 'vitest';
import { dropReason } from '../../../conformance/consumer.ts';

const good = {
  specversion: '1.0',
  id: 'e-1',
  source: 'dcm/providers/ec2-sp',
  type: 'dcm.status.vm',
  subject: 'dcm.vm',
  datacontenttype: 'application/json',
  time: '2026-08-22T10:30:00Z',
  data: { id: 'vm-1', status: 'RUNNING', message: 'instance is running' },
};
const reasonFor = (event: unknown, subject = 'dcm.vm') =>
  dropReason({ subject, payload: typeof event === 'string' ? event : JSON.stringify(event) });

describe('DCM’s status consumer', () => {
  it.each([
    ['an event as it should be', good],
    ['without a time', { ...good, time: undefined }],
    ['with an empty time', { ...good, time: '' }],
    ['with a time of another zone', { ...good, time: '2026-08-22T12:30:00.123+02:00' }],
    ['without a content type', { ...good, datacontenttype: undefined }],
    ['without a source', { ...good, source: undefined }],
    ['of an older version', { ...good, specversion: '0.3' }],
    ['with an extension', { ...good, instanceid: 'i-1', sequence: '7' }],
    ['without a message', { ...good, data: { id: 'vm-1', status: 'RUNNING' } }],
    ['with a type of its own', { ...good, type: 'anything' }],
  ])('applies an event %s', (_, event) => {
    expect(reasonFor(event)).toBeUndefined();
  });

  it.each([
    ['empty bytes', '', /not a JSON object/],
    ['no JSON', 'not json', /not a JSON object/],
    ['a list', [good], /not a JSON object/],
    ['a JSON object that is no event', { foo: 'bar' }, /specversion/],
    ['null for data', { ...good, data: null }, /data must be an object/],
    ['a text for data', { ...good, data: 'RUNNING' }, /data must be an object/],
    ['a list for data', { ...good, data: [] }, /data must be an object/],
    ['no data', { ...good, data: undefined }, /data/],
    ['no id in data', { ...good, data: { status: 'RUNNING' } }, /data\.id/],
    ['an empty id in data', { ...good, data: { ...good.data, id: '' } }, /data\.id must not be empty/],
    ['a number for the status', { ...good, data: { ...good.data, status: 1 } }, /data\.status/],
    ['an epoch timestamp in data', { ...good, data: { ...good.data, timestamp: 1 } }, /data\.timestamp/],
    ['another version', { ...good, specversion: '2.0' }, /specversion/],
    ['an empty source', { ...good, source: '' }, /source/],
    ['a time without a zone', { ...good, time: '2026-08-22T10:30:00' }, /time/],
    ['content that is not JSON', { ...good, datacontenttype: 'text/plain' }, /must be JSON/],
    ['an extension with an underscore', { ...good, dcm_region: 'a' }, /extension dcm_region/],
    ['an extension that is a list', { ...good, more: [] }, /extension more/],
  ])('drops %s', (_, event, why) => {
    expect(reasonFor(event)).toMatch(why);
  });

  it.each(['dcm', 'dcm.vm.status', 'dcm.providers.x.status.update'])(
    'never sees the subject %s',
    (subject) => {
      expect(reasonFor(good, subject)).toMatch(/two tokens/);
    },
  );
});
