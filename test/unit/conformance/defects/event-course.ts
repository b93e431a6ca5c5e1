import type { Received } from '../../../conformance/events.ts';
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

export const courseDefects: KnownDefects = {
  E10: [{ what: 'never tells RUNNING', because: /RUNNING was not told/, defect: silentAbout('RUNNING') }],
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
        publish: (received, fake) =>
          fake.received.length > 1 && !received.payload.includes('DELET') ? [] : [received],
      },
    },
  ],
  E12: [{ what: 'never tells DELETED', because: /DELETED was not told/, defect: silentAbout('DELETED') }],
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
      because: /lives after it ended/,
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
      because: /GET says PROVISIONING/,
      defect: {
        answer: rewriting(
          isOne,
          json((body) => ({ ...body, status: 'PROVISIONING' })),
        ),
      },
    },
  ],
};
