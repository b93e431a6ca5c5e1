import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { deviationsFromDocumentation, readEventDocumentation } from '../../../acceptance/published-events.ts';

const documentation = readEventDocumentation(
  readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8'),
);
const { example } = documentation;
const data = z.record(z.string(), z.unknown()).parse(example.data);

const message = (change: object = {}, headers: object = {}) => {
  const event = { ...example, ...change };
  return {
    subject: 'dcm.vm',
    payload: JSON.stringify(event),
    headers: { 'nats-msg-id': String(event.id), ...headers },
    at: 0,
  };
};
const complaints = (...messages: ReturnType<typeof message>[]) =>
  deviationsFromDocumentation(messages, documentation, 'ec2-sp').map((line) => line.split(': {')[0]);

describe('the check of published events', () => {
  it('accepts the example of docs/events.md, and later ones with a request id', () => {
    const later = message({ id: 'later', sequence: `${example.sequence}9`, requestid: 'r-1' });

    expect(complaints(message(), later)).toEqual([]);
  });

  it.each([
    [{ undocumented: 'x' }, 'docs/events.md does not document undocumented'],
    [{ region: undefined }, 'it has no region'],
    [{ source: 'dcm/providers/other' }, 'source is dcm/providers/other, not dcm/providers/ec2-sp'],
    [{ time: '2026-08-22T10:30:00.5Z' }, 'time is not to the second, in UTC'],
    [{ partitionkey: 'other' }, 'partitionkey is not the instance'],
    [
      { data: { ...data, status: 'PAUSED', output_spec: undefined } },
      'docs/events.md does not document the status PAUSED',
    ],
    [{ data: { ...data, message: 'x'.repeat(1025) } }, 'data.message is longer than 1 KiB'],
    [{ data: { ...data, output_spec: undefined } }, 'RUNNING comes without output_spec'],
    [{ data: { ...data, status: 'STOPPING' } }, 'STOPPING comes with output_spec'],
    [
      { data: { ...data, message: undefined } },
      'data is not id, status, message and output_spec as documented',
    ],
  ])('names what is wrong with %j', (change, complaint) => {
    expect(complaints(message(change))).toEqual([complaint]);
  });

  it('accepts the FAILED of a create that was refused, which has no instance', () => {
    const failed = { ...data, status: 'FAILED', output_spec: undefined };
    const refused = { data: failed, instanceid: undefined, partitionkey: data.id };

    expect(complaints(message(refused))).toEqual([]);
    expect(complaints(message({ ...refused, partitionkey: 'other' }))).toEqual([
      'partitionkey is not the instance',
    ]);
  });

  it('names an id that was published before, and a sequence that is not greater than the one before', () => {
    expect(complaints(message(), message())).toEqual([
      'its id was published before',
      `its sequence is not greater than ${example.sequence}, the one before`,
    ]);
  });

  it('names a message id that is not the id of the event', () => {
    expect(complaints(message({}, { 'nats-msg-id': 'other' }))).toEqual([`Nats-Msg-Id is other, not its id`]);
  });
});
