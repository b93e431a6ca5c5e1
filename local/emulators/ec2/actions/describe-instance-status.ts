import * as z from 'zod';
import type { StatusCheck } from '../../../../shared/service-types/vm/status-checks.ts';
import { action } from '../action.ts';
import { type Fields, Filters, filterFor } from '../filter.ts';
import type { DescribedInstance } from '../instance.ts';
import { stateXml } from '../instance-xml.ts';
import { stateCode } from '../lifecycle.ts';
import { Paging, pageFrom } from '../page.ts';
import { Flag, items, type XmlElements } from '../query-protocol.ts';
import { listedInstances } from './describe-instances.ts';

const Request = Paging.extend({
  InstanceId: z.array(z.string()).max(100).optional(),
  IncludeAllInstances: Flag.default(false),
  Filter: Filters,
});

/**
 * Instances pass their checks as soon as they run; in EC2 that takes some minutes.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html
 */
export const describeInstanceStatus = action(Request, (request, region) => {
  const passes = filterFor(request.Filter, fields);
  const listed = listedInstances(
    request,
    region,
    (instance) => (request.IncludeAllInstances || instance.state === 'running') && passes(instance),
  );
  const { page, nextToken } = pageFrom(listed, request);
  return () => ({ instanceStatusSet: items(page.map(statusXml)), nextToken });
});

const statusOf = ({ state, impaired }: DescribedInstance, check: StatusCheck) => {
  if (state !== 'running') return 'not-applicable';
  return impaired?.check === check ? 'impaired' : 'ok';
};

const reachability = { ok: 'passed', impaired: 'failed' } as const;

const checkXml = (instance: DescribedInstance, check: StatusCheck): XmlElements => {
  const status = statusOf(instance, check);
  if (status === 'not-applicable') return { status };
  const since = status === 'impaired' ? instance.impaired?.sinceMs : undefined;
  const impairedSince = since && new Date(since).toISOString();
  return { status, details: items([{ name: 'reachability', status: reachability[status], impairedSince }]) };
};

const retirement = {
  code: 'instance-retirement',
  description: 'The instance is running on degraded hardware',
};

const statusXml = (instance: DescribedInstance): XmlElements => {
  const { retiresAtMs } = instance;
  const events =
    retiresAtMs === undefined ? [] : [{ ...retirement, notBefore: new Date(retiresAtMs).toISOString() }];
  return {
    instanceId: instance.id,
    availabilityZone: instance.launch.availabilityZone,
    eventsSet: items(events),
    instanceState: stateXml(instance.state),
    systemStatus: checkXml(instance, 'system'),
    instanceStatus: checkXml(instance, 'instance'),
    attachedEbsStatus: checkXml(instance, 'attached-ebs'),
  };
};

const fields: Fields<DescribedInstance> = {
  'attached-ebs-status.status': (instance) => [statusOf(instance, 'attached-ebs')],
  'availability-zone': ({ launch }) => [launch.availabilityZone],
  'event.code': ({ retiresAtMs }) => [retiresAtMs === undefined ? undefined : retirement.code],
  'instance-state-code': ({ state }) => [String(stateCode[state])],
  'instance-state-name': ({ state }) => [state],
  'instance-status.status': (instance) => [statusOf(instance, 'instance')],
  'system-status.status': (instance) => [statusOf(instance, 'system')],
};
