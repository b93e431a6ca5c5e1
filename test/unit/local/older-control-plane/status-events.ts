const vm = { id: 'vm-1', status: 'RUNNING', message: 'instance is running' };

const envelope = {
  specversion: '1.0',
  id: '7d0c3d8e-6a55-4c0e-9c0e-0d3d6d1a5b11',
  source: 'dcm/providers/ec2-sp',
  type: 'dcm.status.vm',
  subject: 'dcm.vm',
  datacontenttype: 'application/json',
  time: '2026-08-22T10:30:00Z',
};

/** A good event, with some of it changed; what is `undefined` is left out. */
const event = (changes: object = {}) => JSON.stringify({ ...envelope, data: vm, ...changes });
const withData = (changes: object) => event({ data: { ...vm, ...changes } });
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

const running = { id: 'vm-1', status: 'running', message: 'instance is running' };

/** What DCM's consumer reads, and as what. */
export const read = [
  { what: 'a good event', json: event(), expected: { ...running, eventId: envelope.id } },
  {
    what: 'a status in any case and between blanks',
    json: withData({ status: ' Running\n' }),
    expected: running,
  },
  { what: 'a word of no vocabulary', json: withData({ status: 'Odd' }), expected: { status: 'odd' } },
  { what: 'an empty status', json: withData({ status: '' }), expected: { status: '' } },
  { what: 'a status that is missing', json: withData({ status: undefined }), expected: { status: '' } },
  { what: 'a status that is null', json: withData({ status: null }), expected: { status: '' } },
  { what: 'a message that is missing', json: withData({ message: undefined }), expected: { message: '' } },
  { what: 'a NUL in the message', json: withData({ message: 'a\0b' }), expected: { message: 'a\0b' } },
  {
    what: 'keys of data in any case',
    json: event({ data: { ID: 'vm-1', Status: 'RUNNING' } }),
    expected: { id: 'vm-1' },
  },
  { what: 'unknown keys of data', json: withData({ output_spec: { a: [1] } }), expected: running },
  {
    what: 'a timestamp in data',
    json: withData({ timestamp: '2026-08-22T10:30:00.123456789+02:00' }),
    expected: running,
  },
  { what: 'a timestamp that is null', json: withData({ timestamp: null }), expected: running },
  { what: 'specversion 0.3', json: event({ specversion: '0.3' }), expected: running },
  {
    what: 'an event without id, source, type and subject',
    json: event({ id: undefined, source: undefined, type: undefined, subject: undefined }),
    expected: { ...running, eventId: '' },
  },
  {
    what: 'attributes that are null',
    json: event({ id: null, type: null, subject: null, time: null, datacontenttype: null }),
    expected: running,
  },
  { what: 'an empty time', json: event({ time: '' }), expected: running },
  { what: 'a time with an offset', json: event({ time: '2026-08-22T10:30:00.5-07:00' }), expected: running },
  { what: 'no time', json: event({ time: undefined }), expected: running },
  { what: 'no datacontenttype', json: event({ datacontenttype: undefined }), expected: running },
  {
    what: 'a datacontenttype with parameters',
    json: event({ datacontenttype: 'application/json; charset=utf-8' }),
    expected: running,
  },
  {
    what: 'JSON in a string of another content type',
    json: event({ datacontenttype: 'text/plain', data: JSON.stringify(vm) }),
    expected: running,
  },
  { what: 'data in base64', json: event({ data: undefined, data_base64: base64(vm) }), expected: running },
  {
    what: 'a source that is an absolute URI',
    json: event({ source: 'https://example.com/a?b=c#d' }),
    expected: running,
  },
  { what: 'a source that is one word', json: event({ source: 'kubevirt.localhost' }), expected: running },
  {
    what: 'any other type, source and subject',
    json: event({ type: 'x', source: 'y', subject: 'z' }),
    expected: running,
  },
  {
    what: 'the extensions that the provider sends',
    json: event({
      sequence: '17648460001',
      partitionkey: 'i-1',
      traceparent: '00-a-b-01',
      region: 'us-east-1',
      instanceid: 'i-1',
    }),
    expected: { ...running, sequence: '17648460001' },
  },
  {
    what: 'extensions in capitals, or that are numbers, booleans or null',
    json: event({ Sequence2: 7, flag: true, none: null, low: -(2 ** 31) }),
    expected: running,
  },
  {
    what: 'an extension without a value under any name',
    json: event({ specversion: '0.3', a_b: 'c' }),
    expected: running,
  },
  {
    what: 'specversion within data',
    json: withData({ specversion: '1.0', nested: { specversion: '9' } }),
    expected: running,
  },
  { what: 'blanks around the event', json: ` \n${event()}\n`, expected: running },
];

/** What DCM's consumer drops, and why. */
export const dropped = [
  { what: 'no bytes at all', json: '', reason: 'JSON' },
  { what: 'what is not JSON', json: 'not json', reason: 'JSON' },
  { what: 'an event that was cut off', json: event().slice(0, -1), reason: 'JSON' },
  { what: 'bare data, as in binary mode', json: JSON.stringify(vm), reason: 'specversion' },
  { what: 'some other object', json: '{"foo":"bar"}', reason: 'specversion' },
  { what: 'null', json: 'null', reason: 'expected object' },
  { what: 'a string', json: '"event"', reason: 'expected object' },
  { what: 'a batch', json: `[${event()}]`, reason: 'expected object' },
  { what: 'an event without specversion', json: event({ specversion: undefined }), reason: 'specversion' },
  { what: 'another specversion', json: event({ specversion: '2.0' }), reason: 'specversion' },
  { what: 'a specversion that is a number', json: event({ specversion: 1 }), reason: 'specversion' },
  { what: 'specversion twice', json: `{"specversion":"1.0",${event().slice(1)}`, reason: 'already provided' },
  {
    what: 'specversion twice, once with an escape',
    json: `{"spec\\u0076ersion":"1.0",${event().slice(1)}`,
    reason: 'already provided',
  },
  { what: 'an id that is a number', json: event({ id: 7 }), reason: 'id' },
  { what: 'a subject that is an object', json: event({ subject: {} }), reason: 'subject' },
  { what: 'an empty source', json: event({ source: '' }), reason: 'source' },
  { what: 'a source that is null', json: event({ source: null }), reason: 'source' },
  { what: 'a source with a broken escape', json: event({ source: 'dcm/%zz' }), reason: 'source' },
  { what: 'a source with a control character', json: event({ source: 'dcm\u0007' }), reason: 'source' },
  { what: 'a source that starts with a colon', json: event({ source: ':dcm' }), reason: 'source' },
  {
    what: 'a source with a colon in what is not a scheme',
    json: event({ source: '1a:b' }),
    reason: 'source',
  },
  { what: 'a time that is no time', json: event({ time: 'yesterday' }), reason: 'time' },
  { what: 'a time without an offset', json: event({ time: '2026-08-22T10:30:00' }), reason: 'time' },
  { what: 'a time without seconds', json: event({ time: '2026-08-22T10:30Z' }), reason: 'time' },
  { what: 'a time with a blank for the T', json: event({ time: '2026-08-22 10:30:00Z' }), reason: 'time' },
  { what: 'a time on a day that is not', json: event({ time: '2026-02-30T10:30:00Z' }), reason: 'time' },
  { what: 'a time in seconds since 1970', json: event({ time: 1_787_394_600 }), reason: 'time' },
  {
    what: 'an object under another content type',
    json: event({ datacontenttype: 'text/plain' }),
    reason: 'string',
  },
  {
    what: 'an object under a vendor’s JSON type',
    json: event({ datacontenttype: 'application/vnd.dcm+json' }),
    reason: 'string',
  },
  {
    what: 'null under another content type',
    json: event({ datacontenttype: 'text/plain', data: null }),
    reason: 'string',
  },
  {
    what: 'an extension with an underscore',
    json: event({ dcm_region: 'us-east-1' }),
    reason: 'dcm_region: not a legal',
  },
  { what: 'an extension with a hyphen', json: event({ 'x-trace': '1' }), reason: 'x-trace: not a legal' },
  { what: 'an extension named like an attribute', json: event({ Type: 'x' }), reason: 'Type: not a legal' },
  { what: 'an extension that is an object', json: event({ region: { code: 1 } }), reason: 'region' },
  { what: 'an extension that is an array', json: event({ region: [1] }), reason: 'region' },
  {
    what: 'an extension that is an integer beyond 32 bits',
    json: event({ sequence: 17_648_460_001 }),
    reason: 'sequence',
  },
  { what: 'an event without data', json: event({ data: undefined }), reason: 'expected object' },
  { what: 'data that is null', json: event({ data: null }), reason: 'expected object' },
  { what: 'data that is a string', json: event({ data: JSON.stringify(vm) }), reason: 'expected object' },
  { what: 'data that is a number', json: event({ data: 7 }), reason: 'expected object' },
  { what: 'data that is an array', json: event({ data: [vm] }), reason: 'expected object' },
  {
    what: 'data in base64 that is not JSON',
    json: event({ data: undefined, data_base64: 'aGVsbG8=' }),
    reason: 'JSON',
  },
  { what: 'an id that is missing in data', json: withData({ id: undefined }), reason: 'id' },
  { what: 'an id that is empty in data', json: withData({ id: '' }), reason: 'id' },
  { what: 'an id that is null in data', json: withData({ id: null }), reason: 'id' },
  { what: 'an id that is a number in data', json: withData({ id: 7 }), reason: 'id' },
  { what: 'a status that is a number', json: withData({ status: 7 }), reason: 'status' },
  { what: 'a message that is an object', json: withData({ message: {} }), reason: 'message' },
  { what: 'a timestamp that is empty', json: withData({ timestamp: '' }), reason: 'timestamp' },
  {
    what: 'a timestamp in milliseconds since 1970',
    json: withData({ timestamp: 1_787_394_600_000 }),
    reason: 'timestamp',
  },
  {
    what: 'a timestamp without an offset',
    json: withData({ timestamp: '2026-08-22T10:30:00' }),
    reason: 'timestamp',
  },
];
