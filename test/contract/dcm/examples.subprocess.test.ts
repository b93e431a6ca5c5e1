import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { specOf } from '../../../shared/service-types/vm/spec.ts';
import { startTodaysDcm, type TodaysDcm } from './control-plane.ts';

const example = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../docs/examples/${name}.json`, import.meta.url), 'utf8'));

const agent = 'aws-eu-west-1';
const Ordered = z.object({ uid: z.string(), resource_ids: z.array(z.string()) });

/** As docs/quickstart-dcm.md has them posted. */
describe('the examples of docs/examples', () => {
  let dcm: TodaysDcm;
  beforeAll(async () => {
    dcm = await startTodaysDcm({ strict: true });
  });
  afterAll(() => dcm[Symbol.asyncDispose]());
  beforeEach(async () => {
    await dcm.controlPlane.forget();
    await dcm.agent('another');
    await dcm.agent(agent);
    expect(await dcm.call('POST', '/policies?id=ec2-vms', example('policy'))).toMatchObject({ status: 201 });
  });

  const order = async (item: string, itemFile: string, orderFile: string) => {
    const offered = await dcm.call('POST', `/catalog-items?id=${item}`, example(itemFile));
    expect(offered).toMatchObject({ status: 201 });
    const ordered = await dcm.call('POST', '/catalog-item-instances', example(orderFile));
    expect(ordered).toMatchObject({ status: 201 });
    return Ordered.parse(ordered.body);
  };
  /** What the agent is asked to create, as this provider reads it. */
  const requested = async (id: string) => {
    const request = (await dcm.requests(agent)).find(({ data }) => data.resource_id === id);
    return request && specOf(request.data.spec);
  };

  it('have one VM requested of the agent that the policy names, in a spec that this provider takes', async () => {
    const { resource_ids: ids } = await order('ec2-vm', 'catalog-item-vm', 'order-vm');

    expect(ids).toHaveLength(1);
    expect(await requested(ids[0] ?? '')).toMatchObject({ name: 'web-1', guestOs: 'ubuntu-24.04' });
  });

  it('have three VMs created one after the other, each with the address of the one before, and deleted', async () => {
    const ordered = await order('ec2-three-tiers', 'catalog-item-three-tiers', 'order-three-tiers');
    const { uid, resource_ids: ids } = ordered;
    const [db = '', app = '', web = ''] = ids;

    expect(await requested(db)).toMatchObject({ name: 'shop-db' });
    expect(await requested(app)).toBeUndefined();
    await dcm.running(db, '10.0.1.5');
    await expect.poll(() => requested(app)).toMatchObject({ labels: { db_address: '10.0.1.5' } });
    expect(await requested(web)).toBeUndefined();
    await dcm.running(app, '10.0.1.6');
    await expect.poll(() => requested(web)).toMatchObject({ labels: { app_address: '10.0.1.6' } });

    expect(await dcm.call('DELETE', `/catalog-item-instances/${uid}`)).toMatchObject({ status: 204 });
    for (const id of [web, app, db]) {
      await expect
        .poll(async () => (await dcm.requests(agent)).filter(({ data }) => data.resource_id === id))
        .toHaveLength(2);
      await dcm.answer('deletion-acknowledged', id, agent);
    }
    await expect.poll(() => dcm.controlPlane.rows()).toEqual([]);
  });
});
