import type { Received } from '../../../../conformance/events.ts';
import type { Defect } from '../defect.ts';
import type { KnownDefects } from './known-defect.ts';

const event = (change: (event: Record<string, unknown>) => object): Defect => ({
  publish: (received) => [{ ...received, payload: JSON.stringify(change(JSON.parse(received.payload))) }],
});

const data = (change: (data: Record<string, unknown>) => unknown): Defect =>
  event((whole) => ({ ...whole, data: change({ ...Object(whole.data) }) }));

const message = (change: (received: Received) => Partial<Received>): Defect => ({
  publish: (received) => [{ ...received, ...change(received) }],
});

export const formDefects: KnownDefects = {
  E1: [
    {
      what: 'publishes on dcm.container',
      because: /came on dcm\.container/,
      defect: message(() => ({ subject: 'dcm.container' })),
    },
    { what: 'publishes nothing', because: /no event came/, defect: { publish: () => [] } },
  ],
  E2: [
    {
      what: 'publishes a list',
      because: /not a JSON object/,
      defect: { publish: (received) => [{ ...received, payload: `[${received.payload}]` }] },
    },
    {
      what: 'leaves specversion out',
      because: /specversion/,
      defect: event(({ specversion: _, ...whole }) => whole),
    },
    {
      what: 'gives an epoch for a time',
      because: /time/,
      defect: event((whole) => ({ ...whole, time: '1771234567' })),
    },
    {
      what: 'puts data in a text',
      because: /data must be an object/,
      defect: data((whole) => JSON.stringify(whole)),
    },
    {
      what: 'has an extension with a hyphen',
      because: /extension x-trace/,
      defect: event((whole) => ({ ...whole, 'x-trace': '1' })),
    },
  ],
  E3: [
    {
      what: 'sends ce- headers',
      because: /ce- headers/,
      defect: message(({ headers }) => ({ headers: { ...headers, 'ce-id': '1' } })),
    },
  ],
  E4: [
    {
      what: 'has a source of its own',
      because: /source is kubevirt\.localhost/,
      defect: event((whole) => ({ ...whole, source: 'kubevirt.localhost' })),
    },
    {
      what: 'has a type of its own',
      because: /type is dcm\.providers/,
      defect: event((whole) => ({ ...whole, type: 'dcm.providers.fake.status.update' })),
    },
    {
      what: 'leaves the subject out',
      because: /subject is undefined/,
      defect: event(({ subject: _, ...whole }) => whole),
    },
    {
      what: 'leaves the time out',
      because: /time is undefined/,
      defect: event(({ time: _, ...whole }) => whole),
    },
  ],
  E5: [
    { what: 'has no message', because: /data has not/, defect: data(({ message: _, ...whole }) => whole) },
    {
      what: 'has a key of its own in data',
      because: /data has not.*reason/,
      defect: data((whole) => ({ ...whole, reason: 'none' })),
    },
    {
      what: 'has an epoch timestamp in data',
      because: /timestamp must be RFC 3339/,
      defect: data((whole) => ({ ...whole, timestamp: 1_771_234_567 })),
    },
    {
      what: 'has its outputs as text',
      because: /output_spec must be an object/,
      defect: data((whole) => ({ ...whole, output_spec: '{}' })),
    },
    {
      what: 'has null for a message',
      because: /data has not/,
      defect: data((whole) => ({ ...whole, message: null })),
    },
  ],
  E6: [
    {
      what: 'tells statuses in small letters',
      because: /status is provisioning/,
      defect: data((whole) => ({ ...whole, status: String(whole.status).toLowerCase() })),
    },
    {
      what: 'tells statuses of its own',
      because: /status is Scheduled/,
      defect: data((whole) => ({ ...whole, status: 'Scheduled' })),
    },
  ],
  E7: [
    {
      what: 'tells PENDING',
      because: /PENDING/,
      defect: {
        publish: (received) => [
          { ...received, payload: received.payload.replace('"PROVISIONING"', '"PENDING"') },
        ],
      },
    },
  ],
  E8: [
    {
      what: 'has a NUL in a message',
      because: /NUL/,
      defect: data((whole) => ({ ...whole, message: 'a\u0000b' })),
    },
  ],
  E9: [
    {
      what: 'has an extension in capital letters',
      because: /instanceId/,
      defect: event((whole) => ({ ...whole, instanceId: 'i-1' })),
    },
    {
      what: 'has an extension that is an object',
      because: /more/,
      defect: event((whole) => ({ ...whole, more: { deep: true } })),
    },
  ],
};
