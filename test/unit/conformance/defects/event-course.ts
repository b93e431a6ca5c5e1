import type { Received } from '../../../../conformance/events.ts';
import { dataOf } from '../../../../conformance/lifetime.ts';
import type { Defect } from '../defect.ts';
import { isCreate, isOne, json, type KnownDefects, rewriting } from './known-defect.ts';

const event = (change: (event: Record<string, unknown>) => object): Defect => ({
  publish: (received) => [{ ...received, payload: JSON.stringify(change(JSON.parse(received.payload))) }],
});

const message = (change: (received: Received) => Partial<Received>): Defect => ({
  publish: (received) => [{ ...received, ...change(received) }],
});

const silentAbout = (status: string): Defect => ({
  publish: (received) => (received.payload.includes(`"status":"${status}"`) ? [] : [received]),
});

/** Other outputs with RUNNING. */
const outputs = (change: () => unknown): Defect =>
  event((whole) => {
    const data = Object(whole.data);
    return { ...whole, data: data.status === 'RUNNING' ? { ...data, output_spec: change() } : data };
  });

export const courseDefects: KnownDefects = {
  E10: [
    { what: 'never publishes RUNNING', because: /RUNNING was not published/, defect: silentAbout('RUNNING') },
  ],
  E11: [
    {
      what: 'tells everything before it answers',
      because: /before the answer/,
      defect: {
        answer: async (request, next, fake) => {
          const response = await next(request);
          const id = new URL(request.url).searchParams.get('id');
          if (isCreate(request) && id) fake.events.tell(id, 'RUNNING');
          fake.stall(1);
          return response;
        },
        publish: (received, fake) => {
          const { id } = dataOf(received);
          const before = fake.received.filter((one) => dataOf(one).id === id);
          return before.length > 1 && !received.payload.includes('DELET') ? [] : [received];
        },
      },
    },
  ],
  E12: [
    { what: 'never publishes DELETED', because: /DELETED was not published/, defect: silentAbout('DELETED') },
  ],
  E13: [
    {
      what: 'starts over after it ran',
      because: /starts after it ran: PROVISIONING, RUNNING, PROVISIONING/,
      defect: {
        answer: async (request, next, fake) => {
          const id = new URL(request.url).searchParams.get('id') ?? '';
          if (isCreate(request) && fake.vms.has(id)) fake.events.tell(id, 'PROVISIONING');
          return next(request);
        },
      },
    },
    {
      what: 'lives after it was deleted',
      because: /another status after DELETED/,
      defect: {
        publish: (received) =>
          received.payload.includes('"DELETED"')
            ? [received, { ...received, payload: received.payload.replaceAll('DELETED', 'STOPPED') }]
            : [received],
      },
    },
  ],
  E14: [
    {
      what: 'gives all events one id',
      because: /the id same/,
      defect: event((whole) => ({ ...whole, id: 'same' })),
    },
  ],
  E15: [
    {
      what: 'gives a message id of its own',
      because: /Nats-Msg-Id is 1/,
      defect: message(() => ({ headers: { 'nats-msg-id': '1' } })),
    },
  ],
  E16: [
    {
      what: 'answers GET with what was',
      because: /GET answers PROVISIONING/,
      defect: {
        answer: rewriting(
          isOne,
          json((body) => ({ ...body, status: 'PROVISIONING' })),
        ),
      },
    },
  ],
  E17: [
    { what: 'erases the outputs', because: /output_spec is \{\}: it is empty/, defect: outputs(() => ({})) },
    {
      what: 'gives the address as a text',
      because: /ip must be a list/,
      defect: outputs(() => ({ ip: '10.0.0.5' })),
    },
    {
      what: 'gives a port as a text',
      because: /port must be a number/,
      defect: outputs(() => ({ ip: [{ address: '10.0.0.5', port: '22', scope: 'internal' }] })),
    },
    {
      what: 'gives an empty address',
      because: /address must not be empty/,
      defect: outputs(() => ({ ip: [{ address: '', port: 22, scope: 'internal' }] })),
    },
    {
      what: 'has a scope of its own',
      because: /scope must be internal or external/,
      defect: outputs(() => ({ ip: [{ address: '10.0.0.5', port: 22, scope: 'public' }] })),
    },
    { what: 'gives no address', because: /ip must not be empty/, defect: outputs(() => ({ ip: [] })) },
  ],
  E18: [
    {
      what: 'tells RUNNING before it knows the address',
      because: /it publishes that the resource runs, without an address/,
      defect: {
        publish: (received) => {
          const { output_spec: _, ...data } = dataOf(received);
          const early = { ...JSON.parse(received.payload), data };
          return data.status === 'RUNNING'
            ? [{ ...received, payload: JSON.stringify(early) }, received]
            : [received];
        },
      },
    },
  ],
};
