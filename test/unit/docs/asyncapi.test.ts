import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { Ajv } from 'ajv';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { eventBridgeStatusBus } from '../../../shared/adapters/event-bridge/status-bus.ts';
import type { Kind } from '../../../shared/core/kind.ts';
import type { Addresses } from '../../../shared/core/outputs.ts';
import { statusOf, type UnpublishedStatus } from '../../../shared/core/resource.ts';
import { kinds } from '../../../shared/service-types/kinds.ts';
import { statusEventSchema } from '../../../shared/service-types/status-events.ts';
import type { CloudEventJson } from '../../../shared/wire/cloudevents.ts';
import { statusEvent } from '../../../shared/wire/dcm-status.ts';
import { eventDocuments } from '../../../tools/asyncapi.ts';
import { memoryLog } from '../../fakes/silent.ts';
import { dcmId, observed } from '../../fixtures/resource-messages.ts';
import { fixedPart } from '../../fixtures/statuses.ts';
import { mockedClient } from '../../mocked-client.ts';

const docs = new URL('../../../docs/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, docs), 'utf8');
const Json = z.record(z.string(), z.unknown());

/** As strict as the specification: dates and URLs are checked by the schemas of zod. */
const ajv = new Ajv({ formats: { 'date-time': true, uri: true } });
const validatorOf = (name: string) =>
  ajv.compile(Json.parse(JSON.parse(read(`schemas/${name}.schema.json`))));

const resourceIds: Readonly<Record<string, string>> = {
  vm: 'i-1234567890abcdef0',
  container: 'task/0123456789abcdef0123456789abcdef',
  cluster: 'eks/us-east-1/kube-1',
};
const everything: Addresses = {
  privateAddress: '10.0.1.5',
  publicAddress: '203.0.113.7',
  ports: [{ port: 80, scope: 'external' }],
  apiEndpoint: 'https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com',
  zone: 'us-east-1a',
  market: 'spot',
};
const sizes: Readonly<Record<string, string>> = { vm: 't3.medium', container: '256/512' };

/** An event of every state, with and without addresses, warned of, republished and of a refused create. */
const eventsOf = (kind: Kind): CloudEventJson[] => {
  const resourceId = resourceIds[kind.serviceType] ?? '';
  const statuses = kind.states.map((state) =>
    statusOf(kind, { ...observed('running'), resourceId, state, requestId: 'request-1' }, fixedPart),
  );
  const later: UnpublishedStatus[] = statuses.map(({ requestId: _, ...status }) => ({
    ...status,
    key: `${status.key}-${status.at + 60}-spot-interruption`,
    republishedAt: status.at + 60,
    seenBy: 'listing',
    keyBefore: '17873946001',
  }));
  const of = (status: UnpublishedStatus, has: Addresses) =>
    statusEvent(
      { ...{ kind, dcmId, resourceId, region: 'us-east-1', account: '123456789012' }, ...has },
      status,
      'ec2-sp',
    );
  const size = sizes[kind.serviceType];
  return [
    ...statuses.flatMap((status) => [of(status, { ...everything, size }), of(status, {})]),
    ...later.map((status) => of(status, everything)),
    ...statuses.map((status) => statusEvent({ kind, dcmId, region: 'us-east-1' }, status, 'ec2-sp')),
  ];
};

const client = mockedClient(EventBridgeClient);
afterEach(() => client.reset());

describe('docs/asyncapi.yaml and docs/schemas', () => {
  it('are generated from the schemas in shared/ (npx tsx tools/asyncapi.ts)', () => {
    const generated = eventDocuments();
    const files = readdirSync(new URL('schemas/', docs)).map((name) => `schemas/${name}`);

    expect(['asyncapi.yaml', ...files].toSorted()).toEqual(Object.keys(generated).toSorted());
    for (const [path, text] of Object.entries(generated)) expect(read(path)).toBe(text);
  });

  it("are a document that AsyncAPI's own schema of version 3.0 accepts, and would not if it had a mistake", () => {
    const official = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');
    const isAsyncApi = new Ajv({ strict: false, validateFormats: false }).compile(
      Json.parse(JSON.parse(readFileSync(official, 'utf8'))),
    );
    const text = read('asyncapi.yaml');

    expect([isAsyncApi(parse(text)), isAsyncApi.errors]).toEqual([true, null]);
    for (const [right, wrong] of [
      ['action: send', 'action: publish'],
      ['address: dcm.vm', 'adress: dcm.vm'],
      ['asyncapi: 3.0.0', 'asyncapi: 2.6.0'],
      [/\$ref: .*vm-status\.schema\.json/, '$ref: 7'],
    ] as const)
      expect(isAsyncApi(parse(text.replace(right, wrong))), wrong).toBe(false);
  });

  it('have no reference that leads nowhere', () => {
    const document: unknown = parse(read('asyncapi.yaml'));
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, ref = '']) => ref,
    );

    expect(references).not.toEqual([]);
    for (const reference of references)
      if (reference.startsWith('#/')) expect(at(document, reference)).toBeDefined();
      else expect(() => read(reference)).not.toThrow();
  });

  it.each(kinds)('describe every event of a $serviceType as it is published', (kind) => {
    const schema = statusEventSchema(kind.serviceType);
    const isValid = validatorOf(`${kind.serviceType}-status`);

    for (const event of eventsOf(kind)) {
      expect(schema.parse(event)).toEqual(event);
      expect([isValid(event), isValid.errors]).toEqual([true, null]);
    }
  });

  it.each(kinds)('describe no field that no event of a $serviceType has', (kind) => {
    const { data, ...attributes } = statusEventSchema(kind.serviceType).shape;
    const published = eventsOf(kind);

    const seen = new Set(published.flatMap((event) => Object.keys(event)));
    const seenInData = new Set(published.flatMap((event) => Object.keys(Json.parse(event.data))));
    expect([...seen].toSorted()).toEqual([...Object.keys(attributes), 'data'].toSorted());
    expect([...seenInData].toSorted()).toEqual(Object.keys(data.shape).toSorted());
  });

  it.each(kinds)('refuse an event of a $serviceType that is not as published', (kind) => {
    const isValid = validatorOf(`${kind.serviceType}-status`);
    const [event] = eventsOf(kind);

    for (const wrong of [
      { type: 'dcm.status.other' },
      { subject: 'dcm.other' },
      { time: undefined },
      { sequence: 17 },
      { data: { id: dcmId, status: 'ASLEEP', message: '' } },
    ])
      expect(isValid(JSON.parse(JSON.stringify({ ...event, ...wrong })))).toBe(false);
  });

  it.each(kinds)('describe the event of a $serviceType on the status bus', async (kind) => {
    const [event] = eventsOf(kind);
    if (event === undefined) throw new Error('expected an event');
    client.on(PutEventsCommand).resolves({ Entries: [{ EventId: '1' }] });

    const bus = eventBridgeStatusBus({
      ...{ bus: 'dcm-ec2-sp-status', log: memoryLog() },
      client: () => new EventBridgeClient({ region: 'us-east-1' }),
    });
    await bus.put([{ event, target: { region: 'us-east-1' } }]);

    const [entry] = client.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries ?? [];
    const isValid = validatorOf(`${kind.serviceType}-status-on-bus`);
    const delivered = {
      ...{ version: '0', id: '1', account: '123456789012', region: 'us-east-1' },
      ...{ source: entry?.Source, 'detail-type': entry?.DetailType, resources: entry?.Resources },
      time: '2026-08-22T10:30:00Z',
      detail: JSON.parse(entry?.Detail ?? ''),
    };
    expect([isValid(delivered), isValid.errors]).toEqual([true, null]);
  });
});

/** What a JSON pointer in a document leads to. */
const at = (document: unknown, reference: string): unknown =>
  reference
    .split('/')
    .slice(1)
    .reduce<unknown>((found, key) => Json.safeParse(found).data?.[key], document);
