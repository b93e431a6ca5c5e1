import type { Action } from '../action.ts';
import { describeImages } from './describe-images.ts';
import { describeInstanceStatus } from './describe-instance-status.ts';
import { describeInstanceTypeOfferings } from './describe-instance-type-offerings.ts';
import { describeInstanceTypes } from './describe-instance-types.ts';
import { describeInstances } from './describe-instances.ts';
import { describeRegions } from './describe-regions.ts';
import { describeSecurityGroups } from './describe-security-groups.ts';
import { describeSubnets } from './describe-subnets.ts';
import { modifyInstanceAttribute } from './modify-instance-attribute.ts';
import { rebootInstances } from './reboot-instances.ts';
import { runInstances } from './run-instances.ts';
import { startInstances } from './start-instances.ts';
import { stopInstances } from './stop-instances.ts';
import { createTags, deleteTags, describeTags } from './tags.ts';
import { terminateInstances } from './terminate-instances.ts';

/** Every action that the simulator answers. To add one: a file like its neighbours, and a line here. */
export const actions: ReadonlyMap<string, Action> = new Map([
  ['CreateTags', createTags],
  ['DeleteTags', deleteTags],
  ['DescribeImages', describeImages],
  ['DescribeInstanceStatus', describeInstanceStatus],
  ['DescribeInstanceTypeOfferings', describeInstanceTypeOfferings],
  ['DescribeInstanceTypes', describeInstanceTypes],
  ['DescribeInstances', describeInstances],
  ['DescribeRegions', describeRegions],
  ['DescribeSecurityGroups', describeSecurityGroups],
  ['DescribeSubnets', describeSubnets],
  ['DescribeTags', describeTags],
  ['ModifyInstanceAttribute', modifyInstanceAttribute],
  ['RebootInstances', rebootInstances],
  ['RunInstances', runInstances],
  ['StartInstances', startInstances],
  ['StopInstances', stopInstances],
  ['TerminateInstances', terminateInstances],
]);
