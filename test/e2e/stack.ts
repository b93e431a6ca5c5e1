import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EC2 } from '@aws-sdk/client-ec2';
import type { Group } from '../../conformance/check.ts';
import { groupsFor } from '../../conformance/groups.ts';
import { ec2Actions } from '../../local/demo/ec2-actions.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import type { ControlPlaneEmulator } from '../../local/stack/dcm.ts';
import type { StackOptions } from '../../local/stack/options.ts';
import { type Stack, startStack } from '../../local/stack/start-stack.ts';

/** Quick, but long enough for a second to pass between a stop and a start. */
const dwellMs = { pending: 300, stopping: 300, 'shutting-down': 300 } as const;

export type WatchedStack = Stack & {
  readonly actions: ReturnType<typeof ec2Actions>;
  /** What the parts said, as `part: line`. */
  readonly said: string[];
};

export type TestStack = WatchedStack & {
  /** The emulator, which all tests of this stack use. */
  readonly controlPlane: ControlPlaneEmulator;
};

/** The local stack, in a folder of its own, with a client of its EC2. */
export const testStack = async (options: Partial<StackOptions> = {}): Promise<TestStack> => {
  const stack = await watchedStack(options);
  const { controlPlane } = stack;
  if (controlPlane === undefined) throw new Error('these tests need the emulated control plane');
  return { ...stack, controlPlane };
};

/** The same, with whatever control plane the options name. */
export const watchedStack = async (options: Partial<StackOptions>): Promise<WatchedStack> => {
  const folder = await mkdtemp(join(tmpdir(), 'ec2-sp-'));
  const said: string[] = [];
  const log = (part: string, line: string) => void said.push(`${part}: ${line}`);
  const stack = await startStack({
    folder,
    dwellMs,
    visibilityTimeoutSeconds: 3,
    ...options,
    log,
    progress: log,
  });
  const ec2 = new EC2(clientConfig(stack.endpoints.ec2Url));
  return {
    ...stack,
    said,
    actions: ec2Actions(ec2, () => undefined),
    /** @throws where an event was lost that no test took from EC2: that is a defect of the emulators. */
    async [Symbol.asyncDispose]() {
      const lost = said.filter((line) => / is lost: /.test(line));
      ec2.destroy();
      await stack[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
      if (lost.length > 0) throw new Error(lost.join('\n'));
    },
  };
};

/** They need a provider that looks up agents' requests, and one that is registered at an older control plane does not. */
const checksOfAgentCreates = ['B3', 'B4', 'B5', 'B7'];

/** The conformance checks that a provider can pass that is called by an older DCM. */
export const checksOfOlderDcm = (serviceType: string): readonly Group[] =>
  groupsFor(serviceType).map((group) => ({
    ...group,
    checks: group.checks.filter(({ id }) => !checksOfAgentCreates.includes(id)),
  }));
