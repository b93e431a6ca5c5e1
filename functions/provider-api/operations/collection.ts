import * as z from 'zod/mini';
import { InvalidArgumentError, NotFoundError } from '../../../shared/core/errors.ts';
import { type Kind, nameOf, type ServiceType } from '../../../shared/core/kind.ts';
import { dcmIdSchema } from '../../../shared/core/resource-id.ts';
import {
  integerParameter,
  NoQuery,
  type Operation,
  operationsOf,
  parseId,
} from '../../../shared/http/operation.ts';
import { maximumTokenLength } from '../../../shared/http/paging.ts';
import { capitalised, schemaNameOf } from '../../../shared/service-types/answers.ts';
import { Health } from '../../../shared/wire/health.ts';
import { healthPathOf } from '../../../shared/wire/public-paths.ts';
import type { CreateAsked } from '../create-resource.ts';
import { settingsOf } from '../lifecycle.ts';
import type { Events, Page } from '../read-resources.ts';
import type { CollectionUseCases, UseCases } from '../use-cases.ts';

/** The resources of one service type as the API offers them: everything in which the operations of the collections differ. */
export type Collection<Spec, Answer, Validation> = {
  readonly kind: Kind;
  /** The AWS service, in descriptions: `EC2`. */
  readonly service: string;
  /** The spec in a request's body. @throws InvalidArgumentError that names the fields, and what was expected of each. */
  readonly specOf: (body: unknown) => Spec;
  readonly answers: {
    readonly resource: z.ZodMiniType<Answer>;
    readonly page: z.ZodMiniType<Page<Answer>>;
    readonly events: z.ZodMiniType<Events>;
    readonly validation: z.ZodMiniType<Validation>;
  };
  /** Sentences of the descriptions. */
  readonly texts: {
    /** What a deletion does: `Terminates the instance.` */
    readonly deletes: string;
    /** What a validation does, besides creating nothing. */
    readonly validates: string;
  };
  /** Undefined where the service type is not deployed. */
  readonly useCasesOf: (all: UseCases) => CollectionUseCases<Spec, Answer, Validation> | undefined;
};

/** The ids of a collection's resources. */
export const idsOf = ({ serviceType }: Pick<Kind, 'serviceType'>) => ({
  id: dcmIdSchema(serviceType),
  logField: 'dcmId',
});

const collectionPath = ({ collection }: Pick<Kind, 'collection'>): string => `/api/v1alpha1/${collection}`;

export const resourcePath = (kind: Pick<Kind, 'collection' | 'serviceType'>): string =>
  `${collectionPath(kind)}/{${kind.serviceType}_id}`;

/** The operations that every collection has. The paths that could be taken for an id come first. */
export const collectionOperations = <Spec, Answer, Validation>(
  collection: Collection<Spec, Answer, Validation>,
): readonly Operation<UseCases>[] => {
  const { kind, service, specOf, answers, texts } = collection;
  const name = nameOf(kind.serviceType);
  const one = schemaNameOf(kind);
  const many = capitalised(kind.collection);
  const operation = operationsOf<UseCases>(idsOf(kind));
  const mine = (all: UseCases): CollectionUseCases<Spec, Answer, Validation> => {
    const useCases = collection.useCasesOf(all);
    if (useCases === undefined) throw new NotFoundError(`this provider has no ${kind.collection}`);
    return useCases;
  };

  const getHealth = healthOperation({
    operationId: `get${many}Health`,
    path: healthPathOf(kind.collection),
    summary:
      kind.collection === 'vms' ? 'Get the health, as DCM does' : `Get the health of ${name}s, as DCM does`,
    description: `Checks ${service}, the DynamoDB table, the observations queue and NATS. A healthy result is cached for 5 s. Always answered with 200 in a region where ${name}s are created: see \`status\`.`,
    serviceType: kind.serviceType,
  });

  const create = operation({
    operationId: `create${one}`,
    method: 'POST',
    path: collectionPath(kind),
    summary: `Create a ${name}`,
    description: `Idempotent: a request with the \`id\` of an existing ${name} answers that ${name}, with 201 too. The body may also be the spec alone, without \`spec\` around it. Fields that are null, "", 0 or {} count as absent. An environment agent sends no \`id\`: its \`Idempotency-Key\` names the request that it forwards, and each of these requests creates one ${name}. Where that ${name} does not exist any more, the same key is answered with 409. So is every key for an id that DCM has deleted, for a week. Where \`id\` is given, it alone says which ${name} the request is for: a key is compared only with the keys of this ${name}, and the same key with another \`id\` creates another ${name}.`,
    query: z.object({ id: z.optional(dcmIdSchema(kind.serviceType)) }),
    emptyIsAbsent: ['id'],
    headers: {
      'Idempotency-Key': `Names the request. Retries have the same key. Without \`id\`, the key must be the id of the CloudEvent by which DCM requested the ${name} from an environment agent, and the provider must be configured for environment agents: it then looks up the id of the ${name} in that request. Answered with 400 where no such request exists, and with 503 where the look-up has no result yet.`,
    },
    takes: answers.resource,
    status: 201,
    answered: `The ${name}, created by this request or existing before.`,
    answer: answers.resource,
    problems: [
      'permission-denied',
      'failed-precondition',
      'payload-too-large',
      'unprocessable',
      'resource-exhausted',
      'upstream',
      'insufficient-capacity',
    ],
    run: async (all, { query, header, body, target, requestId, logResource }) => {
      const useCases = mine(all);
      const identity = await identityOf(all, kind, { id: query.id, key: header('idempotency-key') });
      logResource(identity.dcmId);
      const asked = { ...identity, ...target, requestId };
      return useCases.reportRefusals(asked, async () =>
        useCases.create({ ...asked, spec: specOf(await body()) }),
      );
    },
  });

  const list = operation({
    operationId: `list${many}`,
    method: 'GET',
    path: collectionPath(kind),
    summary: `List the ${name}s of a region`,
    description: `In the order of their ids. A ${name} that is created or deleted between two pages does not shift the others. A page can have fewer ${name}s than \`max_page_size\`, or none, and still have a \`next_page_token\`. The last page has none.`,
    query: listQuery(name),
    emptyIsAbsent: ['max_page_size', 'page_token'],
    status: 200,
    answered: `One page of ${name}s.`,
    answer: answers.page,
    problems: [],
    run: async (all, { target, query }) => {
      const page = await mine(all).read.list({
        target,
        maximumPageSize: query.max_page_size,
        pageToken: query.page_token,
      });
      return kind.collection === 'vms' ? page : { [kind.collection]: page.results, ...page };
    },
  });

  const get = operation({
    operationId: `get${one}`,
    method: 'GET',
    path: resourcePath(kind),
    summary: `Get a ${name}`,
    description: `What the provider knows of the ${name}; ${service} is not asked. Finds ${name}s of every region; where other accounts are configured, those of the path’s target alone.`,
    query: NoQuery,
    status: 200,
    answered: `The ${name}.`,
    answer: answers.resource,
    problems: ['not-found'],
    run: (all, { resourceId: dcmId }) => mine(all).read.get(dcmId),
  });

  const remove = operation({
    operationId: `delete${one}`,
    method: 'DELETE',
    path: resourcePath(kind),
    summary: `Delete a ${name}`,
    description: `${texts.deletes} Idempotent: also answered with 204 where there is no such ${name}, and with 404 where there is one in another target than the path’s and other accounts are configured. DELETING and DELETED are published on NATS. An adopted ${name}, whose ${kind.noun} this provider did not launch, is not deleted but answered with 409, unless the setting \`${settingsOf(kind)}.changeAdopted\` allows it.`,
    query: NoQuery,
    status: 204,
    answered: `The ${name} is being deleted, or does not exist.`,
    answer: undefined,
    problems: ['permission-denied', 'not-found', 'failed-precondition', 'resource-exhausted', 'upstream'],
    run: (all, { resourceId: dcmId, requestId }) => mine(all).delete(dcmId, requestId),
  });

  const validate = operation({
    operationId: `:Validate${one}`,
    method: 'POST',
    path: `${collectionPath(kind)}:validate`,
    summary: `Validate the creation of a ${name}`,
    description: `${texts.validates} Creates nothing.`,
    query: NoQuery,
    takes: answers.resource,
    status: 200,
    answered: 'What a create with this spec would launch.',
    answer: answers.validation,
    problems: [
      'permission-denied',
      'payload-too-large',
      'unprocessable',
      'resource-exhausted',
      'upstream',
      'insufficient-capacity',
    ],
    run: async (all, { body, target, requestId }) => {
      const useCases = mine(all);
      return useCases.validate(specOf(await body()), { ...target, requestId });
    },
  });

  const listEvents = operation({
    operationId: `list${one}Events`,
    method: 'GET',
    path: `${resourcePath(kind)}/events`,
    summary: `List the published statuses of a ${name}`,
    description: 'The newest ten statuses in one page, the newest first.',
    query: NoQuery,
    status: 200,
    answered: 'The statuses.',
    answer: answers.events,
    problems: ['not-found'],
    run: (all, { resourceId: dcmId }) => mine(all).read.events(dcmId),
  });

  return [getHealth, create, list, get, remove, validate, listEvents];
};

type HealthDescription = {
  readonly operationId: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** Undefined: of all service types. */
  readonly serviceType?: ServiceType;
};

export const healthOperation = ({ serviceType, ...about }: HealthDescription): Operation<UseCases> =>
  operationsOf<UseCases>(idsOf({ serviceType: 'vm' }))({
    ...about,
    method: 'GET',
    isPublic: true,
    query: NoQuery,
    status: 200,
    answered: 'The health of the provider.',
    answer: Health,
    problems: ['not-found'],
    run: ({ checkHealth }, { target }) => checkHealth({ ...target, serviceType }),
  });

type Named = {
  /** `?id=`. */
  readonly id: string | undefined;
  /** `Idempotency-Key`. */
  readonly key: string | undefined;
};

/** Like the ids of DCM's CloudEvents, and longer ones. */
const acceptableKey = /^[\x21-\x7e]{1,256}$/;

/**
 * The id of the resource that a create is for, and the request that it belongs to, however the caller names them. An id is never generated:
 * DCM would not know the resource, and could neither follow nor delete it.
 * @throws InvalidArgumentError where the create has no id and never will; UnavailableError where the look-up has no result yet.
 */
const identityOf = async (
  { findRequest }: UseCases,
  { serviceType: expected }: Kind,
  { id, key = '' }: Named,
): Promise<Pick<CreateAsked<never>, 'dcmId' | 'request'>> => {
  if (key !== '' && !acceptableKey.test(key))
    throw new InvalidArgumentError('Idempotency-Key: expected 1 to 256 visible ASCII characters');
  if (id !== undefined) return { dcmId: id, request: key === '' ? undefined : { key } };
  if (findRequest === undefined)
    throw new InvalidArgumentError(
      'id: expected ?id=, since this provider is not configured to look up requests of environment agents by Idempotency-Key',
    );
  if (key === '')
    throw new InvalidArgumentError(
      'id: expected ?id=, or the Idempotency-Key of an environment agent’s request',
    );
  const found = await findRequest(key);
  if (found === null)
    throw new InvalidArgumentError(
      'id: expected ?id=, or the Idempotency-Key of a request of DCM; no request has this key',
    );
  const { resourceId, serviceType = expected } = found;
  if (serviceType !== expected)
    throw new InvalidArgumentError(
      `Idempotency-Key: expected a request for a ${expected}; the request with this key is for a ${serviceType}`,
    );
  const dcmId = parseId(dcmIdSchema(expected), resourceId, 'resource_id of the environment agent’s request');
  return { dcmId, request: { key } };
};

const listQuery = (name: string) =>
  z.object({
    max_page_size: z._default(
      integerParameter(1, 100).check(z.describe(`The maximum number of ${name}s of a page; 50 by default.`)),
      50,
    ),
    page_token: z.optional(
      z
        .string()
        .check(
          z.maxLength(maximumTokenLength, { error: `expected at most ${maximumTokenLength} characters` }),
          z.describe('The `next_page_token` of the previous page.'),
        ),
    ),
  });
