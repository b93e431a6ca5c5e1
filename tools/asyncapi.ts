import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import * as z from 'zod/mini';
import { nameOf, ServiceType } from '../shared/core/kind.ts';
import { capitalised } from '../shared/service-types/answers.ts';
import { statusEventSchema } from '../shared/service-types/status-events.ts';
import { PublicationAnswer, PublicationRequest } from '../shared/wire/bridge.ts';
import { CloudEventJson, statusSubject } from '../shared/wire/cloudevents.ts';
import { EventBridgeEvent } from '../shared/wire/eventbridge.ts';

/** A status on the status bus, as a rule's target gets it (adapters/event-bridge/status-bus.ts puts it there). */
const statusOnBus = (serviceType: ServiceType) => {
  const status = statusEventSchema(serviceType);
  const { source, type } = status.shape;
  return z
    .extend(EventBridgeEvent, {
      source,
      'detail-type': type,
      resources: z
        .array(z.string())
        .check(
          z.length(1),
          z.describe('The target: `eu-west-1`, or `222222222222/eu-west-1` in another account.'),
        ),
      detail: status,
    })
    .check(z.meta({ title: `Status of a ${nameOf(serviceType)} on the status bus` }));
};

/** The schemas of everything that other programs read, or send to the nats-bridge, by the name of their file. */
const schemas: Readonly<Record<string, z.ZodMiniType>> = {
  ...Object.fromEntries(
    ServiceType.options.flatMap((serviceType) => [
      [`${serviceType}-status`, statusEventSchema(serviceType)],
      [`${serviceType}-status-on-bus`, statusOnBus(serviceType)],
    ]),
  ),
  'publication-request': z
    .extend(PublicationRequest, { events: z.array(CloudEventJson) })
    .check(z.meta({ title: 'What the nats-bridge is invoked with to publish events' })),
  'publication-answer': PublicationAnswer.check(z.meta({ title: 'What the nats-bridge answers' })),
};

/**
 * JSON Schemas of draft 7, which is what AsyncAPI's own schemas are a superset of. They allow further fields, because later versions may
 * add extensions.
 */
const jsonSchemaOf = (schema: z.ZodMiniType) =>
  z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });

const fileOf = (name: string): string => `schemas/${name}.schema.json`;

const statusMessage = (serviceType: ServiceType) => ({
  name: `dcm.status.${serviceType}`,
  title: `The status of a ${nameOf(serviceType)}`,
  contentType: 'application/cloudevents+json',
  correlationId: {
    description: 'The request to the provider’s API that caused the change, where one did.',
    location: '$message.payload#/requestid',
  },
  payload: { $ref: `./${fileOf(`${serviceType}-status`)}` },
});

const messageOnBus = (serviceType: ServiceType) => ({
  name: `dcm.status.${serviceType} on the status bus`,
  title: `The status of a ${nameOf(serviceType)}, on the status bus`,
  contentType: 'application/json',
  correlationId: {
    description: 'The request to the provider’s API that caused the change, where one did.',
    location: '$message.payload#/detail/requestid',
  },
  payload: { $ref: `./${fileOf(`${serviceType}-status-on-bus`)}` },
});

const busMessage = (serviceType: ServiceType): string => `${serviceType}StatusOnBus`;
const statusMessageName = (serviceType: ServiceType): string => `${serviceType}Status`;

const byServiceType = <Value>(entry: (serviceType: ServiceType) => readonly [string, Value]) =>
  Object.fromEntries(ServiceType.options.map(entry));

/** All that is published, as an AsyncAPI document. @see https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
const asyncApiDocument = () => ({
  asyncapi: '3.0.0',
  info: {
    title: 'DCM Service Provider for Amazon EC2',
    version: 'v1alpha1',
    description:
      'The statuses of VMs, containers and clusters, as CloudEvents in JetStream and on an EventBridge bus. docs/events.md says what they mean, and what is guaranteed.',
    license: { name: 'Apache-2.0' },
  },
  defaultContentType: 'application/cloudevents+json',
  servers: {
    nats: {
      host: '{host}',
      protocol: 'nats',
      description: 'DCM’s NATS. The stream that has these subjects is DCM’s own; the provider creates none.',
      variables: { host: { default: 'nats.example.com:4222', description: 'Setting `nats.urls`.' } },
    },
    statusBus: {
      host: 'events.{region}.amazonaws.com',
      protocol: 'https',
      description:
        'Amazon EventBridge in the provider’s home region, where a setting brings the status bus. Programs read it by rules of their own.',
      variables: { region: { default: 'us-east-1', description: 'Setting `homeRegion`.' } },
    },
  },
  channels: {
    ...byServiceType((serviceType) => [
      `${serviceType}Statuses`,
      {
        address: statusSubject(serviceType),
        title: `Statuses of ${nameOf(serviceType)}s`,
        description: `The NATS subject of all ${nameOf(serviceType)}s. The header \`Nats-Msg-Id\` is the event’s \`id\`.`,
        servers: [{ $ref: '#/servers/nats' }],
        messages: {
          [statusMessageName(serviceType)]: {
            $ref: `#/components/messages/${statusMessageName(serviceType)}`,
          },
        },
      },
    ]),
    statusBus: {
      address: 'dcm-{provider}-status',
      title: 'The status bus',
      description:
        'An EventBridge bus with every status that JetStream has acknowledged. An event may come twice, and in any order.',
      parameters: { provider: { default: 'ec2-sp', description: 'Setting `provider.name`.' } },
      servers: [{ $ref: '#/servers/statusBus' }],
      messages: byServiceType((serviceType) => [
        busMessage(serviceType),
        { $ref: `#/components/messages/${busMessage(serviceType)}` },
      ]),
    },
  },
  operations: {
    ...byServiceType((serviceType) => [
      `publish${capitalised(serviceType)}Status`,
      {
        action: 'send',
        summary: `Publishes each status of a ${nameOf(serviceType)}, in the order of \`sequence\`.`,
        channel: { $ref: `#/channels/${serviceType}Statuses` },
        messages: [{ $ref: `#/channels/${serviceType}Statuses/messages/${statusMessageName(serviceType)}` }],
      },
    ]),
    forwardStatus: {
      action: 'send',
      summary: 'Puts each published status on the status bus.',
      channel: { $ref: '#/channels/statusBus' },
      messages: ServiceType.options.map((serviceType) => ({
        $ref: `#/channels/statusBus/messages/${busMessage(serviceType)}`,
      })),
    },
  },
  components: {
    messages: {
      ...byServiceType((serviceType) => [statusMessageName(serviceType), statusMessage(serviceType)]),
      ...byServiceType((serviceType) => [busMessage(serviceType), messageOnBus(serviceType)]),
    },
  },
});

const heading = '# Generated from the schemas in shared/ by `npx tsx tools/asyncapi.ts`.\n';

/** The text of each generated file, by its path below docs/. */
export const eventDocuments = (): Readonly<Record<string, string>> => ({
  'asyncapi.yaml': heading + stringify(asyncApiDocument(), { lineWidth: 0, aliasDuplicateObjects: false }),
  ...Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      fileOf(name),
      `${JSON.stringify(jsonSchemaOf(schema), undefined, 2)}\n`,
    ]),
  ),
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const docs = new URL('../docs/', import.meta.url);
  await mkdir(new URL('schemas/', docs), { recursive: true });
  for (const [path, text] of Object.entries(eventDocuments())) await writeFile(new URL(path, docs), text);
}
