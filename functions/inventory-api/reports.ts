import { LRUCache } from 'lru-cache';
import { InvalidArgumentError, NotFoundError } from '../../shared/core/errors.ts';
import type { Collection, Entry, Summary } from '../../shared/core/inventory/entry.ts';
import { type Owner, ownersOf } from '../../shared/core/inventory/relations.ts';
import type { TagKeys } from '../../shared/core/ownership.ts';
import { type NamedTarget, type Target, targetKey, targetName } from '../../shared/core/target.ts';
import type { Call } from '../../shared/http/operation.ts';
import { NotServedError } from '../../shared/http/router.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { InventoryReader, Snapshot } from '../../shared/ports/inventory.ts';
import {
  type About,
  type Attachment,
  type Cluster,
  type Namespace,
  type OwnerReport,
  ownedCollections,
  ownerAnswer,
  ownerName,
  type PlanPod,
  type Resource,
  resourceAnswer,
} from './answers.ts';
import type { Plan } from './env.ts';
import { type LogQuery, type LogReaders, readLog } from './logs.ts';
import { type Moment, NotListedError, readMoment, scan, selections } from './moment.ts';
import {
  filterOf,
  isWanted,
  joined,
  type ListQuery,
  listResponse,
  nextOf,
  type OneQuery,
  type PlanQuery,
  type Rows,
  readPage,
  respond,
  rowsOf,
} from './pages.ts';
import { scopes } from './scopes.ts';
import type { Targets } from './targets.ts';

type Parts = {
  readonly inventory: InventoryReader;
  /** The collections that a target lists. */
  readonly collectionsIn: (target: Target) => ReadonlySet<Collection>;
  readonly targets: Targets;
  readonly tagKeys: TagKeys;
  readonly provider: string;
  readonly plans: readonly Plan[];
  /** By function, the address of its log. */
  readonly controllerLogs: Readonly<Record<string, string>>;
  readonly logs: LogReaders;
  readonly now: Clock;
};

/** What the reports of lists need of a request. `listPath`: the path of the list, to which ids are added. */
type Listing = Call<ListQuery> & { readonly listPath: string };
type Reading = Call<OneQuery>;

/** The collections whose resources can be left over of a cluster that is gone. */
const ofClusters: ReadonlySet<Collection> = new Set<Collection>([
  ...(['volumes', 'network-interfaces', 'load-balancers', 'addresses'] as const),
]);
const podsOf = (collection: (typeof ownedCollections)[number]) => `/${collection}`;
/** The owner of a task without managed tags is in its description alone. */
const hasOwnersInObjects = (collection: Collection): boolean => collection === 'containers';

/** EC2's types of volumes. @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html (volumeType) */
const volumeTypes = ['gp2', 'gp3', 'io1', 'io2', 'sc1', 'st1', 'standard'];

export type Reports = ReturnType<typeof inventoryReports>;

/** All that the API answers, from the inventory's storage. Only logs are read from AWS. */
export const inventoryReports = (parts: Parts) => {
  const { collectionsIn, targets, tagKeys, provider, plans, controllerLogs, logs } = parts;
  const momentOf = readMoment(parts);
  const select = selections();
  const counts = new LRUCache<string, Promise<ReadonlyMap<string, VpcCounts>>>({ max: 50 });
  const owners = new LRUCache<string, Promise<ReadonlyMap<string, OwnerCounts>>>({ max: 50 });

  const aboutOf = async (base: string, moment: Moment): Promise<About> => {
    const found = moment.find('clusters');
    if (found === undefined) return { base, tagKeys, provider, clusters: undefined };
    const clusters = new Set<string>();
    await scan(found, ({ id }) => clusters.add(id));
    return { base, tagKeys, provider, clusters };
  };

  /** With the VPCs where the path names one, to answer 404 for one that there is not. */
  const momentFor = async (
    collection: Collection,
    { target, ids, query: { generation } }: Pick<Reading, 'target' | 'ids' | 'query'>,
  ): Promise<Moment> => {
    const moment = await momentOf({
      ...{ target, generation },
      needed: ids.vpc === undefined ? [collection] : [collection, 'vpcs'],
      used: ofClusters.has(collection) ? ['clusters'] : [],
    });
    if (ids.vpc !== undefined && (await moment.of('vpcs').find(ids.vpc)) === undefined)
      throw new NotFoundError(`there is no VPC ${ids.vpc} in ${targetName(target)}`);
    return moment;
  };

  const entryIn = async (
    collection: Collection,
    moment: Moment,
    { ids: { vpc, id = '' }, target }: Pick<Reading, 'ids' | 'target'>,
  ): Promise<Entry> => {
    const entry = await moment.of(collection).find(id);
    if (entry !== undefined && (vpc === undefined || entry.vpcId === vpc)) return entry;
    const where = vpc === undefined ? targetName(target) : `${vpc} in ${targetName(target)}`;
    throw new NotFoundError(`the collection ${collection} has no ${id} in ${where}`);
  };

  const listResources = (collection: Collection) => async (call: Listing) => {
    const { target, base, ids, query, listPath } = call;
    const moment = await momentFor(collection, call);
    const about = await aboutOf(base, moment);
    const filter = filterOf(call);
    const isFiltered = ids.vpc !== undefined || !isEverything(filter);
    const rows = await select({
      ...{ target, collection, snapshot: moment.of(collection) },
      detail: query.detail || hasOwnersInObjects(collection),
      ...(isFiltered && {
        where: {
          key: JSON.stringify([ids.vpc, filter]),
          partsOf: (summary) =>
            (ids.vpc === undefined || summary.vpcId === ids.vpc) && isWanted(filter, filtered(summary))
              ? whole
              : [],
        },
      }),
      answer: (entry) => {
        const link = `${listPath}/${encodeURIComponent(entry.id)}`;
        return withDetail(resourceAnswer(collection, entry, { ...about, link }), call);
      },
    });
    return listResponse(call, rows, moment);
  };

  const getResource = (collection: Collection) => async (call: Reading) => {
    const moment = await momentFor(collection, call);
    const entry = await entryIn(collection, moment, call);
    const about = await aboutOf(call.base, moment);
    const answer = resourceAnswer(collection, entry, { ...about, link: call.url.pathname });
    return respond(withDetail(answer, call), { ...call, moment });
  };

  const getLog = (collection: Collection) => async (call: Call<LogQuery>) => {
    const moment = await momentFor(collection, { ...call, query: { generation: undefined, detail: true } });
    return readLog(logs, { collection, entry: await entryIn(collection, moment, call) }, call);
  };

  const vpcMoment = ({ target, query: { generation } }: Reading) =>
    momentOf({ target, generation, needed: ['vpcs', 'instances'], used: ['load-balancers'] });

  const namespaceOf = async (target: NamedTarget, moment: Moment, base: string) => {
    const byVpc = await cached(counts, `${targetKey(target)} ${moment.generation}`, () => countVpcs(moment));
    const about = await aboutOf(base, moment);
    const hasServices = moment.find('load-balancers') !== undefined;
    return (entry: Summary & Partial<Pick<Entry, 'object'>>, link: string): Namespace => {
      const { pods = 0, claims = 0, services = 0, unhealthy = 0 } = byVpc.get(entry.id) ?? {};
      return {
        ...resourceAnswer('vpcs', entry, { ...about, link }),
        unhealthy: unhealthy > 0,
        ...(unhealthy > 0 && { statusMessage: `${unhealthy} of ${pods} instances are unhealthy` }),
        ...(hasServices && { serviceCount: services }),
        ...{ podCount: pods, pvcCount: claims },
      };
    };
  };

  const listVpcs = async (call: Listing) => {
    const { target, base, query, listPath } = call;
    const moment = await vpcMoment(call);
    const answer = await namespaceOf(target, moment, base);
    const { count, page, summaries } = moment.of('vpcs');
    const vpcs: readonly (Summary & Partial<Entry>)[] = await (query.detail
      ? page(0, count)
      : summaries(0, count));
    const filter = filterOf(call);
    const all = vpcs
      .map((one) => answer(one, `${listPath}/${one.id}`))
      .filter((one) => isWanted(filter, one));
    return listResponse(call, rowsOf(all), moment);
  };

  const getVpc = async (call: Reading) => {
    const moment = await vpcMoment(call);
    const { target, base, url, ids } = call;
    const entry = await moment.of('vpcs').find(ids.id ?? '');
    if (entry === undefined) throw new NotFoundError(`there is no VPC ${ids.id} in ${targetName(target)}`);
    const answer = await namespaceOf(target, moment, base);
    return respond(answer(withDetail(entry, call), url.pathname), { ...call, moment });
  };

  const listAttachments = async (call: Listing) => {
    const { target, ids, query, listPath } = call;
    const moment = await momentFor('instances', call);
    const filter = filterOf(call);
    const rows = await select({
      ...{ target, collection: 'instances', snapshot: moment.of('instances'), detail: query.detail },
      where: {
        key: JSON.stringify([ids.vpc, 'attachments', filter]),
        partsOf: (instance) =>
          instance.vpcId === ids.vpc
            ? (instance.volumes ?? []).filter((volume) => isWanted(filter, attachmentOf(instance, volume)))
            : [],
      },
      answer: (instance, volume) =>
        attachmentAnswer(instance, volume, `${listPath}/${volume}-${instance.id}`),
    });
    return listResponse(call, rows, moment);
  };

  const getAttachment = async (call: Reading) => {
    const moment = await momentFor('instances', call);
    const [, volume = '', instance = ''] = /^(.+)-(i-[^-]+)$/.exec(call.ids.id ?? '') ?? [];
    const entry = await moment.of('instances').find(instance);
    if (entry === undefined || entry.vpcId !== call.ids.vpc || !entry.volumes?.includes(volume))
      throw new NotFoundError(`there is no attachment ${call.ids.id} in ${call.ids.vpc}`);
    const answer = attachmentAnswer(withDetail(entry, call), volume, call.url.pathname);
    return respond(answer, { ...call, moment });
  };

  const ownersIn = async ({ target, query: { generation } }: Reading) => {
    const moment = await momentOf({ target, generation, needed: ['instances'], used: ['containers'] });
    const key = `${targetKey(target)} ${moment.generation}`;
    return { moment, found: await cached(owners, key, () => countOwners(moment)) };
  };

  const ownerIn = async (call: Reading) => {
    const { moment, found } = await ownersIn(call);
    const counted = found.get(call.ids.id ?? '');
    if (counted === undefined)
      throw new NotFoundError(`nothing in ${targetName(call.target)} belongs to an owner ${call.ids.id}`);
    return { moment, counted };
  };

  const listOwners = async (call: Listing) => {
    const { moment, found } = await ownersIn(call);
    const filter = filterOf(call);
    const all = [...found.values()].map((one) => ownerReport(one, call.base));
    all.sort((one, other) => (one.name < other.name ? -1 : 1));
    return listResponse(call, rowsOf(all.filter((one) => isWanted(filter, one))), moment);
  };

  const getOwner = async (call: Reading) => {
    const { moment, counted } = await ownerIn(call);
    return respond(ownerReport(counted, call.base), { ...call, moment });
  };

  const listPodsOfOwner = async (call: Listing) => {
    const { target, base, query, ids } = call;
    const { moment } = await ownerIn(call);
    const about = await aboutOf(base, moment);
    const filter = filterOf(call);
    const rowsIn = async (collection: (typeof ownedCollections)[number]): Promise<Rows<Resource>> => {
      const snapshot = moment.find(collection);
      if (snapshot === undefined) return rowsOf<Resource>([]);
      return select({
        ...{ target, collection, snapshot, detail: query.detail || hasOwnersInObjects(collection) },
        where: {
          key: JSON.stringify(['owner', ids.id, filter]),
          withObjects: hasOwnersInObjects(collection),
          partsOf: (entry) =>
            ownersOf(entry).some((owner) => ownerName(owner) === ids.id) && isWanted(filter, filtered(entry))
              ? whole
              : [],
        },
        answer: (entry) => {
          const link = `${base}${podsOf(collection)}/${entry.id}`;
          return withDetail(resourceAnswer(collection, entry, { ...about, link }), call);
        },
      });
    };
    const rows = joined(await rowsIn('instances'), await rowsIn('containers'));
    return listResponse(call, rows, moment);
  };

  const volumeType = (type: string, link: string) => ({
    name: type,
    selfLink: link,
    object: { VolumeType: type },
  });

  const listVolumeTypes = async (call: Listing) => {
    const filter = filterOf(call);
    const all = volumeTypes
      .map((type) => volumeType(type, `${call.listPath}/${type}`))
      .filter((one) => isWanted(filter, one))
      .map((one) => withDetail(one, call));
    return listResponse(call, rowsOf(all), undefined);
  };

  const getVolumeType = async (call: Reading) => {
    const type = call.ids.id ?? '';
    if (!volumeTypes.includes(type)) throw new NotFoundError(`EBS has no type of volumes ${type}`);
    return Response.json(withDetail(volumeType(type, call.url.pathname), call));
  };

  const isOpen = ({ permits }: Pick<Reading, 'permits'>, target: NamedTarget): boolean =>
    permits({ target, scope: scopes.read });

  const clusterOf = (target: NamedTarget, link: string): Cluster => ({
    namespace: targets.aliasOf(target),
    name: target.region,
    target: targetName(target),
    selfLink: link,
    object: {
      alias: targets.aliasOf(target),
      region: target.region,
      collections: [...collectionsIn(target)],
    },
  });

  /** In the words of the path that the list has. */
  const listClusters = (linkOf: (target: NamedTarget) => string) => async (call: Listing) => {
    const { namespace } = call.ids;
    requireAlias(namespace);
    const filter = filterOf(call);
    const all = targets.all
      .filter((one) => (namespace === undefined || targets.aliasOf(one) === namespace) && isOpen(call, one))
      .map((one) => withDetail(clusterOf(one, linkOf(one)), call))
      .filter((one) => isWanted(filter, one));
    return listResponse(call, rowsOf(all), undefined);
  };

  const getCluster = async (call: Reading) => {
    const { target } = call;
    const listed = await Promise.all(
      [...collectionsIn(target)].map(async (collection) => {
        const moment = await momentOf({ target, needed: [collection] }).catch(undefinedIfNotListed);
        if (moment === undefined) return { collection };
        const { listedAtMs, ageSeconds, of } = moment;
        return {
          collection,
          count: of(collection).count,
          listedAt: new Date(listedAtMs).toISOString(),
          ageSeconds,
        };
      }),
    );
    return Response.json({ ...withDetail(clusterOf(target, call.url.pathname), call), collections: listed });
  };

  const listAccounts = async (call: Listing) => {
    const filter = filterOf(call);
    const all = targets.aliases
      .filter((alias) => targets.all.some((one) => targets.aliasOf(one) === alias && isOpen(call, one)))
      .map((name) => ({ name, selfLink: `/namespaces/${name}/clusters` }))
      .filter((one) => isWanted(filter, one));
    return listResponse(call, rowsOf(all), undefined);
  };

  function requireAlias(alias: string | undefined) {
    if (alias !== undefined && !targets.aliases.includes(alias))
      throw new NotServedError(
        'namespace',
        `the inventory has no account ${alias}; /namespaces lists those that there are`,
      );
  }

  const placesOf = (plan: Plan) => [targets.named(plan.source), targets.named(plan.destination)] as const;
  const namespaceOfPlan = (plan: Plan) => targets.aliasOf(targets.named(plan.source));
  const planAnswer = (plan: Plan) => ({
    namespace: namespaceOfPlan(plan),
    name: plan.name,
    selfLink: `/namespaces/${namespaceOfPlan(plan)}/plans/${plan.name}`,
    object: { ...plan },
  });

  const listPlans = async (call: Listing) => {
    requireAlias(call.ids.namespace);
    const filter = filterOf(call);
    const all = plans
      .filter((plan) => namespaceOfPlan(plan) === call.ids.namespace)
      .filter((plan) => placesOf(plan).every((target) => isOpen(call, target)))
      .map((plan) => withDetail(planAnswer(plan), call))
      .filter((one) => isWanted(filter, one));
    return listResponse(call, rowsOf(all), undefined);
  };

  /** A plan of which one target is not open to the caller is as one that there is not. */
  const planIn = ({ ids: { namespace, id }, permits }: Pick<Reading, 'ids' | 'permits'>): Plan => {
    requireAlias(namespace);
    const plan = plans.find((one) => one.name === id && namespaceOfPlan(one) === namespace);
    if (plan === undefined || !placesOf(plan).every((target) => isOpen({ permits }, target)))
      throw new NotFoundError(
        `there is no plan ${id} in ${namespace}; /namespaces/${namespace}/plans lists those that there are`,
      );
    return plan;
  };

  const getPlan = async (call: Reading) => Response.json(withDetail(planAnswer(planIn(call)), call));

  /** Controller, source and destination are paged as one list. */
  const getPlanPods = async (call: Call<PlanQuery>) => {
    const plan = planIn(call);
    const places = placesOf(plan);
    const generations = call.query.generation?.split('~');
    if (generations !== undefined && generations.length !== places.length)
      throw new InvalidArgumentError('generation: expected one that an answer of this path has named');
    const moments = await Promise.all(
      places.map((target, index) =>
        momentOf({ target, needed: ['instances'], generation: generations?.[index] }),
      ),
    );
    const [source, destination] = await Promise.all(
      places.map((target, index) => planPods(plan, target, moments[index]?.of('instances'))),
    );
    const controllers = Object.entries(controllerLogs).map(([name, log]) => ({
      part: 'controller' as const,
      pod: { namespace: targets.homeAlias, name, containers: [{ name: 'function', log }] },
    }));
    const none = rowsOf<PlanRow>([]);
    const rows = joined<PlanRow>(
      rowsOf<PlanRow>(controllers),
      joined<PlanRow>(inPart('source', source ?? none), inPart('destination', destination ?? none)),
    );
    const { offset, limit = Number.POSITIVE_INFINITY } = call.query;
    const wanted = Math.min(limit, Math.max(rows.count - offset, 0));
    const page = await readPage(rows, offset, wanted);
    const end = offset + page.length;
    const generation = moments.map((one) => one.generation).join('~');
    const isMore = page.length > 0 && end < rows.count;
    const pods = (part: PlanRow['part']) => page.flatMap((one) => (one.part === part ? [one.pod] : []));
    const answer = {
      ...{ namespace: namespaceOfPlan(plan), name: plan.name },
      ...{ controller: pods('controller'), source: pods('source'), destination: pods('destination') },
      ...(isMore && { next: nextOf(call.url, end, generation) }),
    };
    const listedAtMs = Math.min(...moments.map((one) => one.listedAtMs));
    const ageSeconds = Math.max(...moments.map((one) => one.ageSeconds));
    return respond(
      answer,
      { ...call, moment: { generation, listedAtMs, ageSeconds } },
      {
        ...(page.length < wanted && { 'x-truncated': 'true' }),
      },
    );
  };

  const planPods = (
    plan: Plan,
    target: NamedTarget,
    snapshot: Snapshot | undefined,
  ): Promise<Rows<PlanRow>> | Rows<PlanRow> => {
    if (snapshot === undefined) return rowsOf<PlanRow>([]);
    const base = `/namespaces/${targets.aliasOf(target)}/clusters/${target.region}`;
    return select<PlanRow>({
      ...{ target, collection: 'instances', snapshot, detail: false },
      where: {
        key: JSON.stringify(['plan', plan.selector]),
        partsOf: ({ tags }) =>
          Object.entries(plan.selector).every(
            ([key, value]) => Object.hasOwn(tags, key) && tags[key] === value,
          )
            ? whole
            : [],
      },
      answer: ({ id, vpcId }) => {
        const link =
          vpcId === undefined ? `${base}/instances/${id}` : `${base}/namespaces/${vpcId}/pods/${id}`;
        const log = `${link}/logs?container=console`;
        return {
          part: 'source',
          pod: { namespace: vpcId ?? '', name: id, containers: [{ name: 'console', log }] },
        };
      },
    });
  };

  return {
    ...{ listResources, getResource, getLog, listVpcs, getVpc, listAttachments, getAttachment },
    ...{ listOwners, getOwner, listPodsOfOwner, listVolumeTypes, getVolumeType },
    ...{ listAccounts, listClusters, getCluster, listPlans, getPlan, getPlanPods },
  };
};

/** One row of an entry, of which there is only one. */
const whole = [''] as const;

const isEverything = ({ name, unhealthy, labels }: ReturnType<typeof filterOf>): boolean =>
  name === undefined && unhealthy === undefined && labels.length === 0;

const filtered = ({ id, name, unhealthy, tags }: Summary) => ({
  ...{ name: id, displayName: name, unhealthy: unhealthy !== undefined, labels: tags },
});

/** An attachment is filtered by its own name, and by the health and the tags of its instance. */
const attachmentOf = (instance: Summary, volume: string) => ({
  ...{ ...filtered(instance), name: `${volume}-${instance.id}`, displayName: undefined },
});

const withDetail = <Item extends { readonly object?: unknown }>(
  item: Item,
  { query: { detail } }: { readonly query: { readonly detail: boolean } },
): Item | Omit<Item, 'object'> => {
  if (detail) return item;
  const { object: _, ...rest } = item;
  return rest;
};

const undefinedIfNotListed = (error: unknown): undefined => {
  if (!(error instanceof NotListedError)) throw error;
};

const cached = <Value extends object>(
  cache: LRUCache<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> => {
  const held = cache.get(key);
  if (held !== undefined) return held;
  const made = make();
  cache.set(key, made);
  made.catch(() => cache.delete(key));
  return made;
};

type VpcCounts = { pods: number; claims: number; services: number; unhealthy: number };

const countVpcs = async (moment: Moment): Promise<ReadonlyMap<string, VpcCounts>> => {
  const byVpc = new Map<string, VpcCounts>();
  const countsOf = (vpcId: string): VpcCounts => {
    const held = byVpc.get(vpcId) ?? { pods: 0, claims: 0, services: 0, unhealthy: 0 };
    byVpc.set(vpcId, held);
    return held;
  };
  await scan(moment.of('instances'), ({ vpcId, volumes = [], unhealthy }) => {
    if (vpcId === undefined) return;
    const counted = countsOf(vpcId);
    counted.pods += 1;
    counted.claims += volumes.length;
    counted.unhealthy += unhealthy === undefined ? 0 : 1;
  });
  const services = moment.find('load-balancers');
  if (services !== undefined)
    await scan(services, ({ vpcId }) => {
      if (vpcId !== undefined) countsOf(vpcId).services += 1;
    });
  return byVpc;
};

type OwnerCounts = { readonly owner: Owner; pods: number; unhealthy: number };

const countOwners = async (moment: Moment): Promise<ReadonlyMap<string, OwnerCounts>> => {
  const found = new Map<string, OwnerCounts>();
  for (const collection of ownedCollections) {
    const snapshot = moment.find(collection);
    if (snapshot === undefined) continue;
    const each = (entry: Summary & Partial<Pick<Entry, 'object'>>) => {
      for (const owner of ownersOf(entry)) {
        const counted = found.get(ownerName(owner)) ?? { owner, pods: 0, unhealthy: 0 };
        counted.pods += 1;
        counted.unhealthy += entry.unhealthy === undefined ? 0 : 1;
        found.set(ownerName(owner), counted);
      }
    };
    await scan(snapshot, each, { withObjects: hasOwnersInObjects(collection) });
  }
  return found;
};

const ownerReport = ({ owner, pods, unhealthy }: OwnerCounts, base: string): OwnerReport => ({
  ...ownerAnswer(owner, base),
  ...{ podCount: pods, unhealthyCount: unhealthy, unhealthy: unhealthy > 0 },
  ...(unhealthy > 0 && { statusMessage: `${unhealthy} of ${pods} are unhealthy` }),
});

const attachmentAnswer = (
  { id, vpcId = '', object }: Summary & Partial<Pick<Entry, 'object'>>,
  volume: string,
  link: string,
): Attachment => ({
  name: `${volume}-${id}`,
  namespace: vpcId,
  ...{ volumeName: volume, podName: id, selfLink: link },
  ...(object !== undefined && { object: mappingOf(object, volume) }),
});

/** The block device mapping of a volume, in the description of its instance. */
const mappingOf = (
  { BlockDeviceMappings: all }: Entry['object'],
  volume: string,
): Record<string, unknown> => {
  const found: unknown = Array.isArray(all)
    ? all.find((one) => JSON.stringify(one).includes(`"VolumeId":"${volume}"`))
    : undefined;
  return typeof found === 'object' && found !== null ? { ...found } : {};
};

type PlanRow = { readonly part: 'controller' | 'source' | 'destination'; readonly pod: PlanPod };

const inPart = (part: PlanRow['part'], rows: Rows<PlanRow>): Rows<PlanRow> => ({
  count: rows.count,
  read: async (offset, limit) => (await rows.read(offset, limit)).map(({ pod }) => ({ part, pod })),
});
