import { CloudEvent } from 'cloudevents';
import { describe, expect, it } from 'vitest';
import { InstanceState, vmKind } from '../../../shared/service-types/vm/kind.ts';
import { CloudEventJson } from '../../../shared/wire/cloudevents.ts';
import { statusEvent } from '../../../shared/wire/dcm-status.ts';

import { dcmId, halfPastTen, observed, resourceId, spotWarning } from '../../fixtures/resource-messages.ts';
import { noticeStatus, statusOf } from '../../fixtures/statuses.ts';

const vm = { kind: vmKind, dcmId, resourceId, region: 'us-east-1', privateAddress: '10.0.0.4' };
const running = statusOf(observed('running'));

const internal = { address: '10.0.0.4', port: 22, scope: 'internal' };

/** Everything that the provider can publish. */
const events = [
  ...InstanceState.options.map((state) => statusOf(observed(state))),
  noticeStatus(
    { ...vm, account: '123456789012', sequence: 17_873_946_001, state: 'running', outbox: [], history: [] },
    spotWarning(5),
  ),
].map((status) => statusEvent(vm, status, 'ec2-sp'));

describe('CloudEvent of a VM’s status', () => {
  it('is these bytes, in this order (C46, C2-20)', () => {
    const bytes = JSON.stringify(statusEvent(vm, running, 'ec2-sp'));

    expect(bytes).toBe(
      '{"specversion":"1.0",' +
        '"id":"i-1234567890abcdef0:1787394600:AbCdEfGhIjKlMnOp:1",' +
        '"source":"dcm/providers/ec2-sp",' +
        '"type":"dcm.status.vm",' +
        '"subject":"dcm.vm",' +
        '"datacontenttype":"application/json",' +
        '"time":"2026-08-22T10:30:00Z",' +
        '"data":{"id":"0b7f7a1e-1c1d-4f0e-8a34-5e2f5d1c9a77","status":"RUNNING",' +
        '"message":"instance i-1234567890abcdef0 is running",' +
        '"output_spec":{"ip":[{"address":"10.0.0.4","port":22,"scope":"internal"}]}},' +
        '"sequence":"17873946001",' +
        '"partitionkey":"i-1234567890abcdef0",' +
        '"region":"us-east-1",' +
        '"traceparent":"00-fda485a3d1876d427c5f7866f982ccc9-40f7a54316c14fbe-01",' +
        '"instanceid":"i-1234567890abcdef0"}',
    );
  });

  it('names the request that it is due to', () => {
    const stopping = statusOf(observed('stopping', 0, { requestId: 'r-1' }));

    expect(statusEvent(vm, stopping, 'ec2-sp')).toMatchObject({ requestid: 'r-1' });
    expect(statusEvent(vm, running, 'ec2-sp')).not.toHaveProperty('requestid');
  });

  it.each(events)('is accepted by the CloudEvents package and by the bridge: $data.status, $id', (event) => {
    expect(new CloudEvent(event).validate()).toBe(true);
    expect(CloudEventJson.parse(event)).toEqual(event);
  });

  it.each(events)(
    'has data of three strings that are not empty, and outputs: $data.status, $id',
    ({ data }) => {
      expect(data).toEqual({
        id: dcmId,
        status: expect.stringMatching(/^[A-Z]+$/),
        message: expect.stringMatching(/^[^\0]+$/),
        ...(/"status":"(RUNNING|STOPPED)"/.test(JSON.stringify(data)) && { output_spec: { ip: [internal] } }),
      });
    },
  );

  it('says that it is a republication, and when it was asked for', () => {
    const again = { ...running, republishedAt: halfPastTen + 60 };

    expect(statusEvent(vm, again, 'ec2-sp')).toMatchObject({
      time: '2026-08-22T10:30:00Z',
      republished: '2026-08-22T10:31:00Z',
    });
    expect(statusEvent(vm, running, 'ec2-sp')).not.toHaveProperty('republished');
  });

  it('names nothing that DCM’s consumer would drop it for: lower-case letters and digits only', () => {
    for (const event of events) {
      for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
    }
  });

  it('has text for every extension: the sequence is no 32-bit integer', () => {
    const { sequence, partitionkey, region, instanceid } = statusEvent(vm, running, 'ec2-sp');

    for (const value of [sequence, partitionkey, region, instanceid])
      expect(value).toEqual(expect.any(String));
  });

  it('is another event for another provider, and the same one at every attempt', () => {
    const source = 'dcm/providers/ec2-sp-2';

    expect(statusEvent(vm, running, 'ec2-sp-2')).toEqual({
      ...statusEvent(vm, running, 'ec2-sp'),
      source,
    });
    expect(statusEvent(vm, running, 'ec2-sp')).toEqual(statusEvent(vm, running, 'ec2-sp'));
  });
});
