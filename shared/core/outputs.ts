import type { Resource, UnpublishedStatus } from './resource.ts';

/** What decides the price of a resource, as far as it is known. It changes only while the resource is stopped. */
export type BilledFacts = {
  /** EC2's instance type, or a task's CPU units and MiB: `256/512`. */
  readonly size?: string | undefined;
  /** EC2's `PlatformDetails`; undefined also for `Linux/UNIX`, so that most items are smaller. */
  readonly platform?: string | undefined;
  readonly zone?: string | undefined;
  /** Undefined also for an instance on demand. */
  readonly market?: 'spot' | undefined;
};

/** The platform that `BilledFacts` leaves out. */
export const usualPlatform = 'Linux/UNIX';

/** Those that are known. */
export const billedFactsOf = ({ size, platform, zone, market }: BilledFacts): BilledFacts => ({
  ...(size !== undefined && { size }),
  ...(platform !== undefined && { platform }),
  ...(zone !== undefined && { zone }),
  ...(market !== undefined && { market }),
});

/** The addresses of a resource, and what decides its price. Undefined: not known. */
export type Addresses = BilledFacts & {
  /** In the VPC. It never changes. */
  readonly privateAddress?: string | undefined;
  /** Public IPv4 address; empty where it has none. */
  readonly publicAddress?: string | undefined;
  /** Whether it gets a public address when it runs: asked for at its launch, or seen once. */
  readonly getsPublicAddress?: boolean | undefined;
  readonly isWindows?: boolean | undefined;
  /** The ports of a container that others may reach, and from where. */
  readonly ports?: readonly ReachablePort[] | undefined;
  /** URL of a cluster's Kubernetes API. */
  readonly apiEndpoint?: string | undefined;
};

export type ReachablePort = {
  readonly port: number;
  /** `internal`: at the private address; `external`: at the public address too. */
  readonly scope: 'internal' | 'external';
};

/** The values that other resources of a run can refer to, such as `${web.ip[0].address}`. Each kind has its own shape. */
export type Outputs = Readonly<Record<string, unknown>>;

/** How long RUNNING waits for the public address after the change; it is usually assigned within moments. */
const publicAddressSeconds = 5;

/**
 * Whether a status must wait because its outputs are not complete. `isOver`: a later state follows it. DCM never creates a resource that refers to a missing output, so RUNNING
 * waits for the private address without a limit, and for the public one, where the resource gets one, for five seconds.
 */
export const awaitsAddress = (
  vm: Pick<Resource, 'kind'> & Addresses,
  { status, at }: UnpublishedStatus,
  nowMs: number,
  isOver = false,
): boolean =>
  vm.kind.needsAddress &&
  (vm.kind.coalescesWithinSecond || !isOver) &&
  status === vm.kind.statusOf(vm.kind.runningState) &&
  (vm.privateAddress === undefined || (lacksPublicAddress(vm) && nowMs < (at + publicAddressSeconds) * 1000));

/** Whether the resource gets a public address, and none is known. */
export const lacksPublicAddress = ({ getsPublicAddress, publicAddress }: Addresses): boolean =>
  getsPublicAddress === true && !publicAddress;

/** The seen addresses that differ from the held ones; undefined where none does. */
export const newAddresses = (held: Addresses, seen: Addresses): Addresses | undefined => {
  const { privateAddress = held.privateAddress, isWindows = held.isWindows } = seen;
  const { publicAddress = held.publicAddress, apiEndpoint = held.apiEndpoint, ports = held.ports } = seen;
  const facts = { ...billedFactsOf(held), ...billedFactsOf(seen) };
  const isSame =
    facts.size === held.size &&
    facts.platform === held.platform &&
    facts.zone === held.zone &&
    facts.market === held.market &&
    privateAddress === held.privateAddress &&
    (publicAddress ?? '') === (held.publicAddress ?? '') &&
    (isWindows ?? false) === (held.isWindows ?? false) &&
    apiEndpoint === held.apiEndpoint &&
    JSON.stringify(ports) === JSON.stringify(held.ports);
  if (isSame) return undefined;
  return {
    ...{ privateAddress, publicAddress, isWindows, ...facts },
    ...(apiEndpoint !== undefined && { apiEndpoint }),
    ...(ports !== undefined && { ports }),
  };
};

/** Whether these addresses change the outputs of the status that was published last. */
export const changesOutputs = (
  { kind, latest, ...held }: Pick<Resource, 'kind' | 'latest'> & Addresses,
  seen: Addresses,
): boolean => {
  const found = newAddresses(held, seen);
  if (latest === undefined || found === undefined) return false;
  return (
    JSON.stringify(kind.outputsOf(held, latest.status)) !==
    JSON.stringify(kind.outputsOf(found, latest.status))
  );
};
