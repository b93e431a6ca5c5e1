import fc from 'fast-check';
import { expect, it } from 'vitest';
import { home, instance, nowMs, prod, seedBase, servedInventory } from './served-inventory.ts';

const change = fc.record({ id: fc.nat(30), ends: fc.boolean() });
const paths = [
  '/targets/eu-west-1/instances',
  '/targets/eu-west-1/instances?label.even=true',
  '/targets/eu-west-1/instances?unhealthy=true&detail=0',
  `${seedBase}/namespaces/vpc-1/pods`,
  `${seedBase}/namespaces/vpc-1/persistentvolumeclaims`,
  `${seedBase}/namespaces`,
  `${seedBase}/owners`,
  `${seedBase}/owners/stack.s/pods`,
];

const made = (n: number, atMs = 0) =>
  instance(`i-${n + 10}`, {
    at: atMs,
    vpcId: `vpc-${n % 3}`,
    volumes: n % 4 === 0 ? [] : [`vol-${n}`, `vol-${n}0`],
    tags: { even: String(n % 2 === 0), 'aws:cloudformation:stack-name': n % 5 === 0 ? 's' : `s${n}` },
    unhealthy: n % 3 === 0 ? 'broken' : undefined,
  });

it('pages of any limit, put together, are the unpaged answer of their generation, whatever changes meanwhile (B3 16)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(30), { maxLength: 25 }),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(...paths),
      fc.infiniteStream(change),
      async (numbers, limit, path, changes) => {
        const api = servedInventory();
        await api.list(
          'instances',
          numbers.map((n) => made(n)),
        );
        await api.list(
          'vpcs',
          [0, 1, 2].map((n) => instance(`vpc-${n}`, { vpcId: `vpc-${n}` })),
        );
        await api.list('instances', [made(1)], prod);
        const { status, body: whole } = await api.get(path);
        if (status === 404) return; // no such owner
        const found: unknown[] = [];
        let atMs = nowMs;
        const join = path.includes('?') ? '&' : '?';
        for (let next = `${path}${join}limit=${limit}&generation=${whole.generation}`; next !== undefined; ) {
          const { body } = await api.get(next);
          expect(body).toMatchObject({ count: whole.count, generation: whole.generation });
          expect(body.resources.length).toBeLessThanOrEqual(limit);
          found.push(...body.resources);
          next = body.next;
          atMs += 1000;
          const { value } = changes.next();
          const id = `i-${value.id + 10}`;
          await api.memory.change({ target: home, collection: 'instances' }, [
            value.ends
              ? { ended: { id, at: atMs } }
              : { entry: { ...made(value.id, atMs), state: 'stopped' } },
          ]);
        }

        expect(found).toEqual(whole.resources);
      },
    ),
    { numRuns: 150 },
  );
});
