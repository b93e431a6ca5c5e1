import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { operations } from '../../../functions/inventory-api/operations.ts';
import { targetPrefixes } from '../../../functions/inventory-api/targets.ts';
import { inventoryDocument, inventoryDocuments } from '../../../tools/inventory-reference.ts';
import { listAll, prod, seedBase, servedInventory } from './served-inventory.ts';

const committed = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

describe('the documents of the inventory', () => {
  it.each(Object.entries(inventoryDocuments(committed('inventory.md'))))(
    'docs/%s is generated from the operations; otherwise run npx tsx tools/inventory-reference.ts',
    (name, text) => {
      expect(committed(name)).toBe(text);
    },
  );

  it('describe every operation, each with its own id', () => {
    const described = Object.values(inventoryDocument().paths ?? {}).map(({ get }) => get?.operationId);
    const ids = operations.map(({ operationId }) => operationId);

    expect([...described].sort()).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(operations.length);
  });

  it('describe the lists of accounts and of VPCs, which are both at /namespaces', () => {
    const paths = inventoryDocument().paths ?? {};
    const root = [{ url: '/' }];

    expect(paths['/namespaces']?.get).toMatchObject({ operationId: 'listTopNamespaces', servers: root });
    expect(paths[`${targetPrefixes[0]}/namespaces`]?.get).toMatchObject({
      ...{ operationId: 'listNamespaces', servers: root },
      parameters: expect.arrayContaining([expect.objectContaining({ in: 'path', name: 'cluster' })]),
    });
  });
});

describe('every answer', () => {
  it.each(operations)(
    'of $operationId has the fields of its schema and no others (B3 28)',
    async (operation) => {
      const { path, isOfNoTarget, answer } = operation;
      const lines = async () => ({ text: 'a line', updatedAt: undefined });
      const plans = [
        { name: 'move', source: 'eu-west-1', destination: 'prod/eu-west-1', selector: { a: 'b' } },
      ];
      const api = servedInventory({ logs: { console: lines, task: lines }, settings: { plans } });
      await listAll(api);
      await listAll(api, prod);
      const ids: Readonly<Record<string, string>> = {
        ...{ namespace: 'home', vpc: 'vpc-1' },
        id: idOf(path),
      };
      const asked = `${isOfNoTarget ? '' : seedBase}${path}`.replace(
        /\{(\w+)\}/g,
        (_, name) => ids[name] ?? '',
      );

      const { status, body } = await api.get(asked);

      expect([asked, status]).toEqual([asked, 200]);
      expect(answer?.parse(body)).toEqual(body);
    },
  );
});

/** An id of what there is. */
const idOf = (path: string): string => {
  const known: readonly (readonly [string, string])[] = [
    ...([
      ['/plans/', 'move'],
      ['/pods/', 'i-1'],
      ['/services/', 'web'],
      ['claims/', 'vol-1-i-1'],
    ] as const),
    ...([
      ['/persistentvolumes/', 'vol-1'],
      ['/storageclasses/', 'gp3'],
      ['/instances/', 'i-1'],
    ] as const),
    ...([
      ['/volumes/', 'vol-1'],
      ['/vpcs/', 'vpc-1'],
      ['/subnets/', 'subnet-1'],
    ] as const),
    ...([
      ['/security-groups/', 'sg-1'],
      ['/images/', 'ami-1'],
      ['/network-interfaces/', 'eni-1'],
    ] as const),
    ...([
      ['/load-balancers/', 'web'],
      ['/addresses/', 'eipalloc-1'],
    ] as const),
    ...([
      ['/containers/', '0123456789abcdef0123456789abcdef'],
      ['/owners/', 'ecs-service.shop'],
    ] as const),
    ...([
      ['/clusters/{id}', 'kube-1'],
      ['/namespaces/{id}', 'vpc-1'],
    ] as const),
  ];
  return known.find(([part]) => path.includes(part))?.[1] ?? '';
};
