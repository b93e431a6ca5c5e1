import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as z from 'zod';
import { eventOf } from '../../conformance/consumer.ts';
import type { Settings } from '../../infra/settings/settings.ts';
import { providerApiClient } from '../../local/demo/provider-api-client.ts';
import type { LocalServer } from '../../local/processes/loopback.ts';
import { UnavailableError } from '../../shared/core/errors.ts';
import type { cdk, Outputs } from '../deployment/cdk.ts';
import { homeRegion } from '../names.ts';
import type { Surroundings } from '../surroundings.ts';

export type SettingsInput = z.input<typeof Settings>;

/** What the steps of the run share. */
export type Context = {
  /** For files of the run. */
  readonly folder: string;
  readonly surroundings: Surroundings;
  /** What the stacks are deployed to: with our repairs, and IAM policies enforced. */
  readonly ministack: LocalServer;
  /** ministack without our repairs. */
  readonly published: LocalServer;
  /** With our repairs, and everything permitted. */
  readonly openMinistack: LocalServer;
  readonly moto: LocalServer;
  readonly cdk: ReturnType<typeof cdk>;
  readonly log: (line: string) => void;
  /** Of the last deployment. */
  outputs: Outputs | undefined;
};

/** One thing that must hold of the deployed provider. Steps run in order; one that throws ends the run. */
export type Step = { readonly title: string; readonly run: (context: Context) => Promise<void> };

/** Statuses published for a VM so far, oldest first. */
export const statusesOf = ({ surroundings }: Context, dcmId: string): string[] =>
  surroundings.published.flatMap(({ payload }) => {
    const data = eventOf(payload)?.data;
    return isStatus(data) && data.id === dcmId ? [data.status] : [];
  });

const isStatus = (data: unknown): data is { readonly id: string; readonly status: string } =>
  typeof data === 'object' &&
  data !== null &&
  'id' in data &&
  'status' in data &&
  typeof data.status === 'string';

/** @throws UnavailableError where the newest published status of the VM is not this one in time. */
export const reaches = async (
  context: Context,
  dcmId: string,
  status: string,
  timeoutMs: number,
): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  while (statusesOf(context, dcmId).at(-1) !== status) {
    if (Date.now() > deadline)
      throw new UnavailableError(
        `${dcmId} is not ${status} after ${timeoutMs / 1000} s; published: ${statusesOf(context, dcmId).join(', ') || 'nothing'}`,
      );
    await sleep(50);
  }
};

export const outputsOf = ({ outputs }: Context): Outputs => {
  assert.ok(outputs, 'nothing is deployed');
  return outputs;
};

/** A user of the provider's API in a region. */
export const apiIn = ({ surroundings }: Context, region: string) =>
  providerApiClient({
    providerApiUrl: region === homeRegion ? surroundings.publicUrl : `${surroundings.publicUrl}/${region}`,
    providerApiToken: surroundings.secrets.token.text,
  });
