import { describe, expect, it } from 'vitest';
import { listAll, seedBase, servedInventory } from './served-inventory.ts';

const served = async () => {
  const api = servedInventory();
  await listAll(api);
  return api;
};

describe('a list', () => {
  it.each([
    ['/namespaces', 2],
    ['/namespaces/home/clusters', 2],
    ['/namespaces/prod/clusters', 1],
    ['/targets', 3],
    [`${seedBase}/namespaces`, 2],
    [`${seedBase}/namespaces/vpc-1/pods`, 2],
    [`${seedBase}/namespaces/vpc-1/services`, 1],
    [`${seedBase}/namespaces/vpc-1/persistentvolumeclaims`, 3],
    [`${seedBase}/persistentvolumes`, 2],
    [`${seedBase}/storageclasses`, 7],
    [`${seedBase}/owners`, 2],
    [`${seedBase}/owners/auto-scaling-group.web~2f~blue/pods`, 2],
    ['/targets/eu-west-1/instances', 3],
    ['/targets/home/eu-west-1/instances', 3],
    ['/targets/eu-west-1/vpcs', 2],
    ['/targets/eu-west-1/containers', 1],
    ['/targets/eu-west-1/clusters', 1],
  ])(
    '%s is an object with count and resources, never an array (B3 3, 21, 26, 30, 34)',
    async (path, count) => {
      const { status, body } = await (await served()).get(path);

      expect([status, body?.count, body?.resources?.length]).toEqual([200, count, count]);
    },
  );
});
