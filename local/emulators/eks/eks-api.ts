import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { reasonOf } from '../../../shared/core/errors.ts';
import { type Callers, jsonErrorOf, signatureOf } from '../callers.ts';
import { neverAnswer, type Place } from '../places.ts';
import {
  associateAccessPolicy,
  createAccessEntry,
  deleteAccessEntry,
  describeAccessEntry,
  disassociateAccessPolicy,
  listAccessEntries,
  listAccessPolicies,
  listAssociatedAccessPolicies,
} from './actions/access.ts';
import { createCluster, deleteCluster, describeCluster, listClusters } from './actions/clusters.ts';
import {
  createNodegroup,
  deleteNodegroup,
  describeNodegroup,
  listNodegroups,
} from './actions/node-groups.ts';
import { listTagsForResource, tagResource, untagResource } from './actions/tags.ts';
import {
  describeUpdate,
  listUpdates,
  updateClusterConfig,
  updateClusterVersion,
  updateNodegroupConfig,
} from './actions/updates.ts';
import { describeClusterVersions } from './cluster-versions.ts';
import { refuse } from './faults.ts';
import type { Region } from './region.ts';
import { EksError, invalidParameter, type Operation } from './rest-json.ts';

type Options = {
  readonly callers: Callers;
  /** Creates the region where it was not used before. */
  readonly region: (place: Place) => Region;
  /** Called for each call, before it is handled. */
  readonly onCall: (action: string, place: Place) => void;
};

/**
 * AWS's REST-JSON protocol. Signatures are not checked; they name the region and the caller.
 * @see https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
 */
export const eksApi = ({ callers, region, onCall }: Options): Hono => {
  const app = new Hono();
  const answerTo = async ({ req }: Context, action: string, answer: Operation) => {
    const signature = signatureOf((name) => req.header(name));
    const caller = callers(signature);
    const place = { account: caller.account, region: signature.region };
    onCall(action, place);
    const refusal = caller.refusal(`eks:${action}`);
    if (refusal) throw new EksError(jsonErrorOf(refusal), refusal.message);
    const called = region(place);
    if (called.account.faults().outage === 'hangs') await neverAnswer();
    refuse(action, called.account);
    return answer({ ...membersOf(req.queries()), ...bodyOf(await req.text()), ...req.param() }, called);
  };
  for (const [methodAndPath, [action, answer]] of Object.entries(actions)) {
    const [method = '', path = ''] = methodAndPath.split(' ');
    app.on(method, path, async (context) => {
      try {
        return json(200, await answerTo(context, action, answer));
      } catch (error) {
        return refused(error instanceof EksError ? error : new EksError('ServerException', reasonOf(error)));
      }
    });
  }
  app.notFound(({ req }) =>
    refused(new EksError('ClientException', `no supported action has the path ${req.method} ${req.path}`)),
  );
  return app;
};

const json = (status: number, content: object, headers: Readonly<Record<string, string>> = {}): Response =>
  Response.json(content, { status, headers: { 'x-amzn-requestid': randomUUID(), ...headers } });

const refused = ({ code, status, message, concerned }: EksError): Response =>
  json(status, { message, ...concerned }, { 'x-amzn-errortype': code });

/** The members of a query: a text, or a list where there are several. */
const membersOf = (queries: Record<string, string[]>) =>
  Object.fromEntries(
    Object.entries(queries).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );

const Body = z.record(z.string(), z.unknown());

const bodyOf = (text: string): z.infer<typeof Body> => {
  if (text === '') return {};
  try {
    return Body.parse(JSON.parse(text));
  } catch {
    throw invalidParameter('The body of the request is not a JSON object.');
  }
};

/**
 * The supported actions, by method and path.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations_Amazon_Elastic_Kubernetes_Service.html
 */
const actions: Readonly<Record<string, readonly [action: string, answer: Operation]>> = {
  'GET /access-policies': ['ListAccessPolicies', listAccessPolicies],
  'GET /cluster-versions': ['DescribeClusterVersions', describeClusterVersions],
  'GET /clusters': ['ListClusters', listClusters],
  'POST /clusters': ['CreateCluster', createCluster],
  'GET /clusters/:name': ['DescribeCluster', describeCluster],
  'DELETE /clusters/:name': ['DeleteCluster', deleteCluster],
  'POST /clusters/:name/update-config': ['UpdateClusterConfig', updateClusterConfig],
  'GET /clusters/:name/updates': ['ListUpdates', listUpdates],
  'POST /clusters/:name/updates': ['UpdateClusterVersion', updateClusterVersion],
  'GET /clusters/:name/updates/:updateId': ['DescribeUpdate', describeUpdate],
  'GET /clusters/:clusterName/node-groups': ['ListNodegroups', listNodegroups],
  'POST /clusters/:clusterName/node-groups': ['CreateNodegroup', createNodegroup],
  'GET /clusters/:clusterName/node-groups/:nodegroupName': ['DescribeNodegroup', describeNodegroup],
  'DELETE /clusters/:clusterName/node-groups/:nodegroupName': ['DeleteNodegroup', deleteNodegroup],
  'POST /clusters/:clusterName/node-groups/:nodegroupName/update-config': [
    'UpdateNodegroupConfig',
    updateNodegroupConfig,
  ],
  'GET /clusters/:clusterName/access-entries': ['ListAccessEntries', listAccessEntries],
  'POST /clusters/:clusterName/access-entries': ['CreateAccessEntry', createAccessEntry],
  'GET /clusters/:clusterName/access-entries/:principalArn': ['DescribeAccessEntry', describeAccessEntry],
  'DELETE /clusters/:clusterName/access-entries/:principalArn': ['DeleteAccessEntry', deleteAccessEntry],
  'GET /clusters/:clusterName/access-entries/:principalArn/access-policies': [
    'ListAssociatedAccessPolicies',
    listAssociatedAccessPolicies,
  ],
  'POST /clusters/:clusterName/access-entries/:principalArn/access-policies': [
    'AssociateAccessPolicy',
    associateAccessPolicy,
  ],
  'DELETE /clusters/:clusterName/access-entries/:principalArn/access-policies/:policyArn': [
    'DisassociateAccessPolicy',
    disassociateAccessPolicy,
  ],
  'GET /tags/:resourceArn': ['ListTagsForResource', listTagsForResource],
  'POST /tags/:resourceArn': ['TagResource', tagResource],
  'DELETE /tags/:resourceArn': ['UntagResource', untagResource],
};
