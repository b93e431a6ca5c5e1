import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import * as z from 'zod';
import { reasonOf } from '../../../shared/core/errors.ts';
import { type Callers, type Refusal, signatureOf } from '../callers.ts';
import { neverAnswer, type Place } from '../places.ts';
import type { Action } from './action.ts';
import { allocateAddress, describeAddresses, releaseAddress } from './actions/addresses.ts';
import {
  modifyInstanceAttribute,
  rebootInstances,
  startInstances,
  stopInstances,
  terminateInstances,
} from './actions/change-instances.ts';
import { getConsoleOutput } from './actions/console-output.ts';
import { describeInstanceStatus } from './actions/describe-instance-status.ts';
import { describeInstances } from './actions/describe-instances.ts';
import { describeRegions } from './actions/describe-regions.ts';
import { describeImages } from './actions/images.ts';
import { describeInstanceTypeOfferings, describeInstanceTypes } from './actions/instance-types.ts';
import { describeSecurityGroups, describeSubnets, describeVpcs } from './actions/network.ts';
import {
  createNetworkInterface,
  deleteNetworkInterface,
  describeNetworkInterfaces,
} from './actions/network-interfaces.ts';
import { runInstances } from './actions/run-instances.ts';
import { createTags, deleteTags, describeTags } from './actions/tags.ts';
import { describeVolumes } from './actions/volumes.ts';
import { refuse } from './faults.ts';
import { answerXml, Ec2Error, errorXml, Flag, type Parameter, parametersOf } from './query-protocol.ts';
import type { Region } from './region.ts';

type Options = {
  readonly callers: Callers;
  /** Creates the region where it was not used before. */
  readonly region: (place: Place) => Region;
  /** Called for each call, before it is handled. */
  readonly onCall: (action: string, place: Place) => void;
};

const Call = z
  .object({ Action: z.string().default(''), DryRun: Flag.catch(false) })
  .catch({ Action: '', DryRun: false });

/**
 * The EC2 Query protocol: POST / with a form, answered in XML. Signatures are not checked; they name the region and the caller.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
 */
export const queryApi = ({ callers, region, onCall }: Options): Hono => {
  const app = new Hono();
  app.post('/', async ({ req, body }) => {
    const requestId = randomUUID();
    const xml = (text: string, status: 200 | Ec2Error['status']) =>
      body(text, status, { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId });
    try {
      const parameters = parametersOf(await req.text());
      const call = Call.parse(parameters);
      const signature = signatureOf((name) => req.header(name));
      const caller = callers(signature);
      const place = { account: caller.account, region: signature.region };
      onCall(call.Action, place);
      const refusal = caller.refusal(`ec2:${call.Action}`);
      if (refusal) throw unauthorized(refusal);
      const called = region(place);
      if (called.account.faults().outage === 'hangs') await neverAnswer();
      const act = prepare(call.Action, parameters, called);
      if (call.DryRun) throw dryRun();
      return xml(answerXml(call.Action, requestId, act()), 200);
    } catch (error) {
      const refusal = error instanceof Ec2Error ? error : new Ec2Error('InternalError', reasonOf(error), 500);
      return xml(errorXml(requestId, refusal), refusal.status);
    }
  });
  return app;
};

const prepare = (name: string, parameters: Parameter, region: Region) => {
  const action = actions.get(name);
  if (action === undefined) {
    throw new Ec2Error('InvalidAction', `The action ${name} is not valid for this web service.`);
  }
  throttle(region);
  refuse(name, region.account.faults());
  return action(parameters, region);
};

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html */
const unauthorized = ({ reason, message }: Refusal): Ec2Error => {
  if (reason === 'expired') return new Ec2Error('RequestExpired', 'Request has expired.');
  if (reason === 'unknown')
    return new Ec2Error('AuthFailure', 'AWS was not able to validate the provided access credentials', 401);
  return new Ec2Error('UnauthorizedOperation', message, 403);
};

const throttle = ({ account }: Region): void => {
  const { throttle: probability } = account.faults();
  if (probability === 0 || account.random() >= probability) return;
  throw new Ec2Error('RequestLimitExceeded', 'Request limit exceeded.', 503);
};

const dryRun = (): Ec2Error =>
  new Ec2Error('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);

/** The supported actions. */
const actions: ReadonlyMap<string, Action> = new Map([
  ['AllocateAddress', allocateAddress],
  ['CreateNetworkInterface', createNetworkInterface],
  ['CreateTags', createTags],
  ['DeleteNetworkInterface', deleteNetworkInterface],
  ['DeleteTags', deleteTags],
  ['DescribeAddresses', describeAddresses],
  ['DescribeImages', describeImages],
  ['DescribeInstanceStatus', describeInstanceStatus],
  ['DescribeInstanceTypeOfferings', describeInstanceTypeOfferings],
  ['DescribeInstanceTypes', describeInstanceTypes],
  ['DescribeInstances', describeInstances],
  ['DescribeNetworkInterfaces', describeNetworkInterfaces],
  ['DescribeRegions', describeRegions],
  ['DescribeSecurityGroups', describeSecurityGroups],
  ['DescribeSubnets', describeSubnets],
  ['DescribeTags', describeTags],
  ['DescribeVolumes', describeVolumes],
  ['DescribeVpcs', describeVpcs],
  ['GetConsoleOutput', getConsoleOutput],
  ['ModifyInstanceAttribute', modifyInstanceAttribute],
  ['RebootInstances', rebootInstances],
  ['ReleaseAddress', releaseAddress],
  ['RunInstances', runInstances],
  ['StartInstances', startInstances],
  ['StopInstances', stopInstances],
  ['TerminateInstances', terminateInstances],
]);
