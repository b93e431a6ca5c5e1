import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EC2Client,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { DisableRuleCommand, EnableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { isHTTPError } from 'ky';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { homeRegion, legacyRegion } from '../names.ts';
import { rootConfig } from '../root.ts';
import { apiIn, type Context, reaches, type Step, statusesOf } from './context.ts';
import { deployedRules } from './events.ts';

type Life = {
  readonly dcmId: string;
  readonly region: string;
  /** How long each change may take to be published, in milliseconds. */
  readonly timeoutMs: number;
};

/** A VM that is created, stopped, started and deleted by the API; each change is awaited on the status stream. */
const live = async (context: Context, { dcmId, region, timeoutMs }: Life): Promise<void> => {
  const api = apiIn(context, region);
  const created = await api.create(dcmId, vmSpec(dcmId));
  assert.equal(created.region, region);
  await reaches(context, dcmId, 'RUNNING', timeoutMs);
  assert.equal((await api.get(dcmId)).status, 'RUNNING');
  await api.change(dcmId, 'stop');
  await reaches(context, dcmId, 'STOPPED', timeoutMs);
  await sleep(burstMs);
  await api.change(dcmId, 'start');
  await reaches(context, dcmId, 'RUNNING', timeoutMs);
  await api.delete(dcmId);
  await reaches(context, dcmId, 'DELETED', timeoutMs);
};

/** Of more than four changes in ten seconds, some are held back and superseded (docs/events.md). */
const burstMs = 10_000;
/** As soon as EC2's events are there. */
const byEventsMs = 20_000;
/** Longer than the check of a transition waits, 25 s: without an event, it or a listing shows what EC2 has. */
const byCheckMs = 60_000;
/** Some listings, each at most every 10 s while something changes. */
const byPollingMs = 90_000;

const ec2In = ({ ministack }: Context, region: string) => new EC2Client(rootConfig(ministack, region));

const launch = async (ec2: EC2Client, tags: Readonly<Record<string, string>>): Promise<string> => {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({
      ImageId: 'ami-0123456789abcdef0',
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      ...(Tags.length > 0 && { TagSpecifications: [{ ResourceType: 'instance', Tags }] }),
    }),
  );
  return Instances[0]?.InstanceId ?? '';
};

/** A launch is published again five seconds later, for DCM to have the VM by then. */
const withoutRepeats = (statuses: readonly string[]): string[] =>
  statuses.filter((status, index) => status !== statuses[index - 1]);

export const lifecycle: readonly Step[] = [
  {
    title:
      'a VM is created, runs, is stopped, started and deleted: each status is published, by EC2’s events',
    async run(context) {
      await live(context, { dcmId: 'home-1', region: homeRegion, timeoutMs: byEventsMs });
      assert.deepEqual(withoutRepeats(statusesOf(context, 'home-1')), [
        ...['PROVISIONING', 'RUNNING', 'STOPPING', 'STOPPED'],
        ...['PROVISIONING', 'RUNNING', 'DELETING', 'DELETED'],
      ]);
    },
  },
  {
    title:
      'an instance that was launched by hand with the tags is reported but not changed, and one without is not reported',
    async run(context) {
      const ec2 = ec2In(context, homeRegion);
      const untagged = await launch(ec2, {});
      const adopted = await launch(ec2, { 'managed-by': 'dcm', 'dcm-instance-id': 'adopted-1' });
      await reaches(context, 'adopted-1', 'RUNNING', byEventsMs);
      const refused = await apiIn(context, homeRegion)
        .change('adopted-1', 'stop')
        .catch((error: unknown) => error);
      assert.ok(isHTTPError(refused), 'an adopted VM was stopped');
      assert.equal(refused.response.status, 409);
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [untagged, adopted] }));
      await reaches(context, 'adopted-1', 'DELETED', byEventsMs);
      const foreign = context.surroundings.published.filter(({ payload }) => payload.includes(untagged));
      assert.deepEqual(foreign, []);
    },
  },
  {
    title: 'a status whose event EventBridge loses is published all the same',
    async run(context) {
      const api = apiIn(context, homeRegion);
      await api.create('lost-1', vmSpec('lost-1'));
      await reaches(context, 'lost-1', 'RUNNING', byEventsMs);
      const events = new EventBridgeClient(rootConfig(context.ministack));
      const rules = await deployedRules(context);
      const rule = rules.find(({ pattern }) => pattern.includes('State-change'));
      assert.ok(rule, 'no rule has EC2’s state changes');
      await events.send(new DisableRuleCommand({ Name: rule.name }));
      await api.change('lost-1', 'stop');
      await reaches(context, 'lost-1', 'STOPPED', byCheckMs);
      await events.send(new EnableRuleCommand({ Name: rule.name }));
      await api.delete('lost-1');
      await reaches(context, 'lost-1', 'DELETED', byEventsMs);
    },
  },
  {
    title: 'in a region without events, polling publishes what happens to a VM, also what the API did not do',
    async run(context) {
      const api = apiIn(context, legacyRegion);
      const { instance_id: instanceId = '' } = await api.create('legacy-1', vmSpec('legacy-1'));
      await reaches(context, 'legacy-1', 'RUNNING', byPollingMs);
      const ec2 = ec2In(context, legacyRegion);
      await ec2.send(new StopInstancesCommand({ InstanceIds: [instanceId] }));
      await reaches(context, 'legacy-1', 'STOPPED', byPollingMs);
      await api.delete('legacy-1');
      await reaches(context, 'legacy-1', 'DELETED', byPollingMs);
    },
  },
];

export const lifecycleOnMoto: readonly Step[] = [
  {
    title: 'with moto as EC2, which has no events, a VM is created, runs, is stopped, started and deleted',
    run: (context) => live(context, { dcmId: 'moto-1', region: homeRegion, timeoutMs: byCheckMs }),
  },
];
