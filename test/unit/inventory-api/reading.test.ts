import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { operations, paths } from '../../../functions/inventory-api/operations.ts';
import { maximumResources } from '../../../functions/inventory-api/pages.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import type { InventoryReader } from '../../../shared/ports/inventory.ts';
import { memoryInventory } from '../../fakes/memory-inventory.ts';
import {
  entry,
  home,
  instance,
  listAll,
  nowMs,
  prod,
  seedBase,
  servedInventory,
} from './served-inventory.ts';

const plan = { name: 'move', source: 'eu-west-1', destination: 'prod/eu-west-1', selector: { app: 'shop' } };
const settings = { plans: [plan, { ...plan, name: 'second' }] };

const served = async () => {
  const api = servedInventory({ settings });
  await listAll(api);
  await listAll(api, prod);
  return api;
};

/** Every GET, with ids of what there is. */
const everyPath = [
  '/schema',
  '/openapi.json',
  '/namespaces',
  '/namespaces/home/clusters',
  '/targets',
  '/namespaces/home/plans',
  '/namespaces/home/plans/move',
  '/namespaces/home/plans/move/pods',
  '/api/v1alpha1/changes',
  ...[seedBase, '/targets/eu-west-1', '/targets/prod/eu-west-1'].flatMap((base) =>
    [
      '',
      ...['/namespaces', '/namespaces/vpc-1', '/namespaces/vpc-1/pods', '/namespaces/vpc-1/pods/i-1'],
      ...['/namespaces/vpc-1/services', '/namespaces/vpc-1/services/web'],
      ...['/namespaces/vpc-1/persistentvolumeclaims', '/namespaces/vpc-1/persistentvolumeclaims/vol-1-i-1'],
      ...['/persistentvolumes', '/persistentvolumes/vol-1', '/storageclasses', '/storageclasses/gp3'],
      ...['/instances', '/instances/i-1', '/volumes', '/volumes/vol-1', '/vpcs', '/vpcs/vpc-1'],
      ...[
        '/subnets',
        '/subnets/subnet-1',
        '/security-groups',
        '/security-groups/sg-1',
        '/images',
        '/images/ami-1',
      ],
      ...['/network-interfaces', '/network-interfaces/eni-1', '/load-balancers', '/load-balancers/web'],
      ...[
        '/addresses',
        '/addresses/eipalloc-1',
        '/containers',
        '/containers/0123456789abcdef0123456789abcdef',
      ],
      ...[
        '/clusters',
        '/clusters/kube-1',
        '/owners',
        '/owners/ecs-service.shop',
        '/owners/ecs-service.shop/pods',
      ],
    ].map((path) => `${base}${path}`),
  ),
];
const Linked = z.object({
  resources: z._default(
    z.array(
      z.object({
        name: z.string(),
        selfLink: z.string(),
        owners: z.optional(z.array(z.object({ name: z.string(), selfLink: z.optional(z.string()) }))),
      }),
    ),
    [],
  ),
});

/** Of the resources of a list, and of their owners. */
const linksIn = (body: unknown): readonly { readonly name: string; readonly selfLink: string }[] =>
  Linked.parse(body).resources.flatMap(({ name, selfLink, owners = [] }) => [
    { name, selfLink },
    ...owners.flatMap((owner) =>
      owner.selfLink === undefined ? [] : [{ name: owner.name, selfLink: owner.selfLink }],
    ),
  ]);

const Items = z.array(z.record(z.string(), z.unknown()));
const itemsOf = (body: { readonly resources?: unknown }) => Items.parse(body.resources ?? [body]);

describe('the inventory', () => {
  it.each(everyPath)('answers %s without a call of AWS (B3 1, B3 2)', async (path) => {
    const { status, body } = await (await served()).get(path);

    expect([status, Array.isArray(body)]).toEqual([200, false]);
  });

  it('has every path of its schema among those, logs apart (B3 20)', async () => {
    const { body } = await (await served()).get('/schema');
    const patterns = paths().map((path) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`));
    const unasked = patterns.filter((pattern) => !everyPath.some((path) => pattern.test(path)));

    expect(body.paths).toEqual(paths());
    expect(unasked.filter(({ source }) => !/logs?\$$/.test(source))).toEqual([]);
    expect(body).toMatchObject({
      openapi: '/openapi.json',
      maximumResources,
      maximumBytes: expect.any(Number),
    });
  });

  it.each([
    ['/namespaces', 2],
    ['/namespaces/prod/clusters', 1],
    ['/targets', 3],
    ['/namespaces/home/plans', 2],
    [`${seedBase}/namespaces`, 2],
    [`${seedBase}/namespaces/vpc-1/pods`, 2],
    [`${seedBase}/namespaces/vpc-1/services`, 1],
    [`${seedBase}/namespaces/vpc-1/persistentvolumeclaims`, 3],
    [`${seedBase}/persistentvolumes`, 2],
    [`${seedBase}/storageclasses`, 7],
    [`${seedBase}/owners`, 2],
    ['/targets/eu-west-1/instances', 3],
    ['/targets/home/eu-west-1/instances', 3],
  ])(
    'lists %s as count and resources, also where there are none (B3 3, B3 4, B3 30)',
    async (path, count) => {
      const api = await served();
      const all = await api.get(path);
      const none = await api.get(`${path}?name=nothing`);

      expect([all.body.count, all.body.resources.length]).toEqual([count, count]);
      expect(none.body).toMatchObject({ count: 0, resources: [] });
    },
  );

  it.each(operations.filter(({ operationId }) => operationId.startsWith('list')))(
    'pages $path, also beyond the end (B3 10, B3 21)',
    async ({ path, isOfNoTarget }) => {
      const api = await served();
      const full = `${isOfNoTarget ? '' : seedBase}${path}`
        .replace('{namespace}', 'home')
        .replace('{vpc}', 'vpc-1')
        .replace('{id}', 'auto-scaling-group.web~2f~blue');
      const { body: all } = await api.get(full);
      const { body: first } = await api.get(`${full}?limit=1`);
      const { body: rest } = await api.get(`${full}?offset=1&limit=1000`);
      const { body: beyond } = await api.get(`${full}?offset=1000000`);

      expect(first.resources).toEqual(all.resources.slice(0, 1));
      expect(rest.resources).toEqual(all.resources.slice(1));
      expect(beyond).toMatchObject({ count: all.count, resources: [] });
      expect('next' in first).toBe(all.count > 1);
    },
  );

  it('has links that resolve to what they were in (B3 23)', async () => {
    const api = await served();
    for (const path of everyPath) {
      const { body } = await api.get(path);
      for (const { name, selfLink } of linksIn(body)) {
        const found = await api.get(selfLink);
        const isAccount = path === '/namespaces'; // whose link is to the list of its targets
        expect([selfLink, found.status, found.body.name]).toEqual([
          selfLink,
          200,
          isAccount ? undefined : name,
        ]);
      }
    }
  });

  it('has these fields, and the description of each type (B3 23, B3 28, B3 31)', async () => {
    const api = await served();
    const pods = `${seedBase}/namespaces/vpc-1/pods`;

    expect((await api.get(`${pods}/i-1`)).body).toEqual({
      ...{ name: 'i-1', namespace: 'vpc-1', displayName: 'web', state: 'running' },
      labels: { 'managed-by': 'dcm', 'dcm-instance-id': 'web-1', 'dcm-provider': 'ec2-sp' },
      ...{ managed: true, dcmInstanceId: 'web-1', status: 'RUNNING', unhealthy: false, owners: [] },
      changedAt: '2026-11-30T09:58:55.000Z',
      selfLink: `${pods}/i-1`,
      object: instance('i-1', { volumes: ['vol-1', 'vol-2'] }).object,
    });
    expect((await api.get(`${seedBase}/namespaces/vpc-1`)).body).toEqual({
      ...{ name: 'vpc-1', displayName: 'one', labels: {}, managed: false, owners: [] },
      ...{ serviceCount: 1, podCount: 2, pvcCount: 3 },
      ...{ unhealthy: true, statusMessage: '1 of 2 instances are unhealthy' },
      changedAt: '2026-11-30T09:58:55.000Z',
      selfLink: `${seedBase}/namespaces/vpc-1`,
      object: { described: 'vpc-1' },
    });
    expect((await api.get(`${seedBase}/namespaces/vpc-1/persistentvolumeclaims?limit=1`)).body).toEqual({
      count: 3,
      resources: [
        {
          ...{ name: 'vol-1-i-1', namespace: 'vpc-1', volumeName: 'vol-1', podName: 'i-1' },
          selfLink: `${seedBase}/namespaces/vpc-1/persistentvolumeclaims/vol-1-i-1`,
          object: { DeviceName: '/dev/xvda', Ebs: { VolumeId: 'vol-1' } },
        },
      ],
      generation: '1.0~1.0',
      ...{ listedAt: '2026-11-30T09:58:55.000Z', ageSeconds: 65 },
      next: `${seedBase}/namespaces/vpc-1/persistentvolumeclaims?limit=1&offset=1&generation=1.0%7E1.0`,
    });
    expect((await api.get('/targets/prod/eu-west-1')).body).toMatchObject({
      ...{ namespace: 'prod', name: 'eu-west-1', target: 'prod/eu-west-1' },
      object: { alias: 'prod', region: 'eu-west-1' },
      collections: expect.arrayContaining([
        { collection: 'instances', count: 3, listedAt: '2026-11-30T09:58:55.000Z', ageSeconds: 65 },
      ]),
    });
  });

  it('leaves out the description with detail=0, and nothing else (B3 29)', async () => {
    const api = await served();
    for (const path of everyPath) {
      const [{ body: all }, { body: less }] = [await api.get(path), await api.get(`${path}?detail=0`)];
      const without = itemsOf(all).map(({ object: _, ...rest }) => rest);

      expect([path, itemsOf(less)]).toEqual([path, without]);
    }
  });

  it.each([
    ['/targets/eu-west-1/instances?unhealthy=true', ['i-2']],
    ['/targets/eu-west-1/instances?unhealthy=false', ['i-1', 'i-3']],
    [`${seedBase}/namespaces?unhealthy=true`, ['vpc-1']],
    ['/targets/eu-west-1/instances?name=web', ['i-1']],
    ['/targets/eu-west-1/instances?name=i-3', ['i-3']],
    ['/targets/eu-west-1/instances?label.Name=db&label.aws:autoscaling:groupName=web/blue', ['i-3']],
    ['/targets/eu-west-1/instances?label.__proto__=x', []],
    [`${seedBase}/namespaces/vpc-1/persistentvolumeclaims?unhealthy=true`, ['vol-3-i-2']],
    [
      `${seedBase}/namespaces/vpc-1/persistentvolumeclaims?label.dcm-instance-id=web-1`,
      ['vol-1-i-1', 'vol-2-i-1'],
    ],
    [`${seedBase}/namespaces/vpc-1/persistentvolumeclaims?label.no=such`, []],
  ])('filters: %s (B3 5)', async (path, names) => {
    const { body } = await (await served()).get(path);

    expect([body.count, body.resources.map(({ name }: { name: string }) => name)]).toEqual([
      names.length,
      names,
    ]);
  });

  it('lists what belongs to an owner, with its health (B3 35)', async () => {
    const api = await served();
    const { body: owner } = await api.get('/targets/eu-west-1/owners/auto-scaling-group.web~2f~blue');
    const { body: pods } = await api.get(`${owner.selfLink}/pods`);

    expect(owner).toMatchObject({ displayName: 'web/blue', podCount: 2, unhealthyCount: 1, unhealthy: true });
    expect(pods.resources).toMatchObject([
      { name: 'i-2', unhealthy: true, statusMessage: 'its instance status check fails' },
      { name: 'i-3', unhealthy: false },
    ]);
  });

  it('flags what is left over of a cluster that is gone', async () => {
    const { body } = await (await served()).get('/targets/eu-west-1/volumes/vol-9');

    expect(body).toMatchObject({ unused: true, leftover: 'it belongs to the cluster gone, which is gone' });
  });

  it('never mixes two targets with the same names (B3 15)', async () => {
    const api = servedInventory();
    await listAll(api);
    await api.list('vpcs', [entry('vpc-1', { vpcId: 'vpc-1' })], prod);
    await api.list('instances', [instance('i-9', { name: 'web' })], prod);

    const names = async (base: string) =>
      (await api.get(`${base}/namespaces/vpc-1/pods`)).body.resources.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names('/namespaces/prod/clusters/eu-west-1')).toEqual(['i-9']);
    expect(await names(seedBase)).toEqual(['i-1', 'i-2']);
    expect((await api.get('/targets/prod/eu-west-1/instances/i-1')).status).toBe(404);
  });

  it.each([
    `${seedBase}/namespaces/vpc-2/pods/i-1`,
    `${seedBase}/namespaces/vpc-9/pods`,
    `${seedBase}/namespaces/vpc-9`,
    `${seedBase}/namespaces/vpc-2/persistentvolumeclaims/vol-1-i-1`,
    `${seedBase}/storageclasses/gp9`,
    '/targets/eu-west-1/owners/stack.none',
    '/namespaces/home/plans/none',
    '/namespaces/prod/plans/move',
  ])('answers 404 for %s, which there is not (B3 22, B3 24, B3 26)', async (path) => {
    expect((await (await served()).get(path)).status).toBe(404);
  });

  it.each([
    ['/targets/us-west-9/instances', 'target'],
    ['/targets/dev/eu-west-1/instances', 'target'],
    ['/namespaces/dev/clusters/eu-west-1/namespaces', 'target'],
    ['/namespaces/dev/clusters', 'namespace'],
    ['/targets/eu-west-1/nothing', 'collection=nothing'],
  ])('answers 404 for %s with the reason %s', async (path, reason) => {
    const { status, headers } = await (await served()).get(path);

    expect([status, headers.get('x-reason')]).toEqual([404, reason]);
  });

  it.each([
    ['/nothing', /below \/ it has .*namespaces, .*targets/],
    ['/targets/eu-west-1/nothing', /no collection nothing; below \/targets\/eu-west-1 it has .*instances, /],
    ['/targets/prod/eu-west-1/nothing', /below \/targets\/prod\/eu-west-1 it has .*instances, /],
    [
      '/targets/eu-west-1/instances/i-1/nothing',
      /below \/targets\/eu-west-1\/instances\/i-1 it has logs, log$/,
    ],
    [`${seedBase}/nothing`, /it has .*namespaces, persistentvolumes, /],
    [`${seedBase}/namespaces/vpc-1/nothing`, /it has pods, services, persistentvolumeclaims$/],
    ['/namespaces/home/nothing', /below \/namespaces\/home it has clusters, plans$/],
    ['/namespaces/home/plans/move/nothing', /below \/namespaces\/home\/plans\/move it has pods$/],
    ['/namespaces/home/plans/none', /\/namespaces\/home\/plans lists those that there are$/],
    ['/namespaces/dev/clusters', /\/namespaces lists those that there are$/],
    ['/targets/dev/eu-west-1/instances', /\/targets lists those that there are$/],
  ])('names at %s what there is', async (path, detail) => {
    const { status, body } = await (await served()).get(path);

    expect([status, body]).toEqual([404, expect.objectContaining({ detail: expect.stringMatching(detail) })]);
  });

  it.each([
    'limit=x',
    'limit=-1',
    'limit=',
    'offset=',
    'detail=',
    'name=',
    'generation=',
    'offset=1.5',
    'detail=2',
    'unhealthy=maybe',
    'generation=x~y',
    'limit=1&limit=2',
    'label.=x',
  ])('refuses ?%s with 400', async (query) => {
    const { status, body } = await (await served()).get(`/targets/eu-west-1/instances?${query}`);

    expect([status, body.title]).toEqual([400, 'Invalid argument']);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('answers %s with 405 everywhere (B3 14)', async (method) => {
    const api = await served();
    for (const path of everyPath) {
      const response = await api.ask(path, { method });
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD']);
    }
  });
});

describe('availability', () => {
  it.each(['instances', 'vpcs', 'volumes', 'owners', 'namespaces', 'namespaces/vpc-1/pods', 'instances/i-1'])(
    'answers 206 without a body before the first complete listing: %s',
    async (path) => {
      const api = servedInventory();
      await api.memory.observePage(
        { target: home, collection: 'instances' },
        { startedAtMs: nowMs, page: 0 },
        [instance('i-1')],
      );

      for (const method of ['GET', 'HEAD']) {
        const response = await api.ask(`${seedBase}/${path}`, { method });
        expect([response.status, await response.text()]).toEqual([206, '']);
        expect(response.headers.get('x-reason')).toMatch(/^collection=(instances|vpcs|volumes)$/);
        expect(response.headers.get('retry-after')).toBe('15');
      }
    },
  );

  it('answers 404 with the reason for a collection that is switched off', async () => {
    const api = servedInventory({ settings: { collections: ['instances', 'vpcs'] } });
    await api.list('vpcs', [entry('vpc-1', { vpcId: 'vpc-1' })]);
    await api.list('instances', []);

    const off = await api.get('/targets/eu-west-1/volumes');
    expect([off.status, off.headers.get('x-reason')]).toEqual([404, 'collection=volumes']);
    expect(off.body.detail).toMatch(/volumes is not listed in eu-west-1: .*inventory\.without has it$/);
    expect((await api.get('/targets/eu-west-1/vpcs/vpc-1')).body).not.toHaveProperty('serviceCount');
  });

  it('answers 404 with the setting, and not 206 for ever, where a target never lists a collection', async () => {
    const api = servedInventory({
      settings: { listedIn: { containers: ['eu-west-1'], clusters: ['222222222222/eu-west-1'] } },
    });
    const answerOf = async (path: string) => {
      const { status, headers, body } = await api.get(path);
      return [status, headers.get('x-reason'), body?.detail];
    };
    const of = (name: string, setting: string) => [
      404,
      `collection=${name}`,
      expect.stringContaining(`${setting} has no eu-west-1`),
    ];

    expect(await answerOf('/targets/eu-west-1/containers')).toEqual([
      206,
      'collection=containers',
      undefined,
    ]);
    expect(await answerOf('/targets/prod/eu-west-1/containers')).toEqual(
      of('containers', 'accounts.prod.containers.regions'),
    );
    expect(await answerOf('/targets/eu-west-1/clusters')).toEqual(of('clusters', 'clusters.regions'));
    expect(await answerOf('/targets/prod/eu-west-1/clusters/kube-1')).toEqual([
      206,
      'collection=clusters',
      undefined,
    ]);
    const { collections } = (await api.get('/targets/prod/eu-west-1')).body;
    expect(collections).toContainEqual({ collection: 'clusters' });
    expect(collections).not.toContainEqual({ collection: 'containers' });
  });

  it('answers 304 until something changes, and HEAD as GET', async () => {
    const api = await served();
    const path = '/targets/eu-west-1/instances';
    const first = await api.ask(path);
    const etag = first.headers.get('etag') ?? '';
    const again = await api.ask(path, { headers: { 'if-none-match': etag } });
    await api.memory.change({ target: home, collection: 'instances' }, [{ ended: { id: 'i-1', at: nowMs } }]);
    const later = await api.ask(path, { headers: { 'if-none-match': etag } });
    const head = await api.ask(path, { method: 'HEAD' });

    const any = await api.ask(path, { headers: { 'if-none-match': '*' } });

    expect([again.status, await again.text()]).toEqual([304, '']);
    expect([any.status, await any.text()]).toEqual([304, '']);
    expect(later.status).toBe(200);
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([
      200,
      '',
      later.headers.get('etag'),
    ]);
  });

  it('answers 410 for a generation that is no longer kept', async () => {
    const api = await served();
    const { body } = await api.get('/targets/eu-west-1/instances');
    api.memory.dropGenerations();

    expect((await api.get(`/targets/eu-west-1/instances?generation=${body.generation}`)).status).toBe(410);
  });

  it('answers 503 where the table fails', async () => {
    const { snapshot } = memoryInventory();
    const inventory: InventoryReader = {
      snapshot: async (place) => {
        if (place.collection === 'volumes') throw new UnavailableError('no table');
        return snapshot(place);
      },
    };

    expect((await servedInventory({ inventory }).get('/targets/eu-west-1/volumes')).status).toBe(503);
  });

  it('cuts a list that an answer has no room for, says so, and has the way to the rest', async () => {
    const api = servedInventory();
    const ids = Array.from({ length: 2500 }, (_, n) => `i-${String(n).padStart(5, '0')}`);
    await api.list(
      'instances',
      ids.map((id) => instance(id)),
    );
    const found: string[] = [];
    let pages = 0;
    for (let path: string | undefined = '/targets/eu-west-1/instances'; path !== undefined; pages += 1) {
      const { body, headers } = await api.get(path);
      found.push(...body.resources.map(({ name }: { name: string }) => name));
      expect(headers.get('x-truncated')).toBe(pages < 2 ? 'true' : null);
      expect(headers.get('link')).toBe(body.next === undefined ? null : `<${body.next}>; rel="next"`);
      path = body.next;
    }

    expect([pages, found]).toEqual([3, ids]);
  });

  it('cuts a list at the bytes of an answer', async () => {
    const api = servedInventory();
    const object = { text: 'x'.repeat(200_000) };
    await api.list(
      'images',
      Array.from({ length: 40 }, (_, n) => entry(`ami-${n + 10}`, { object })),
    );
    const response = await api.ask('/targets/eu-west-1/images');
    const text = await response.text();

    expect(Buffer.byteLength(text)).toBeLessThan(5_000_000);
    expect([JSON.parse(text).resources.length, response.headers.get('x-truncated')]).toEqual([22, 'true']);
  });
});

describe('a plan', () => {
  const withShop = async () => {
    const api = servedInventory({ settings });
    const tags = { app: 'shop' };
    await api.list('instances', [instance('i-1', { tags }), instance('i-2')]);
    await api.list('instances', [instance('i-8', { tags, vpcId: 'vpc-8' })], prod);
    return api;
  };

  it('reports its functions and instances, with their logs (B3 8, B3 27)', async () => {
    const { body } = await (await withShop()).get('/namespaces/home/plans/move/pods');

    expect(body).toEqual({
      ...{ namespace: 'home', name: 'move' },
      controller: [
        {
          ...{ namespace: 'home', name: 'ec2-sp-poller' },
          containers: [{ name: 'function', log: 'https://logs.example/poller' }],
        },
      ],
      source: [
        {
          ...{ namespace: 'vpc-1', name: 'i-1' },
          containers: [
            { name: 'console', log: `${seedBase}/namespaces/vpc-1/pods/i-1/logs?container=console` },
          ],
        },
      ],
      destination: [
        {
          ...{ namespace: 'vpc-8', name: 'i-8' },
          containers: [
            {
              name: 'console',
              log: '/namespaces/prod/clusters/eu-west-1/namespaces/vpc-8/pods/i-8/logs?container=console',
            },
          ],
        },
      ],
    });
  });

  it('is paged as one list, within one generation', async () => {
    const api = await withShop();
    const names: string[] = [];
    for (let path: string | undefined = '/namespaces/home/plans/move/pods?limit=1'; path !== undefined; ) {
      const { body }: Awaited<ReturnType<typeof api.get>> = await api.get(path);
      names.push(...[...body.controller, ...body.source, ...body.destination].map(({ name }) => name));
      await api.memory.change({ target: prod, collection: 'instances' }, [
        { ended: { id: 'i-8', at: nowMs } },
      ]);
      path = body.next;
    }

    expect(names).toEqual(['ec2-sp-poller', 'i-1', 'i-8']);
  });
});
