import type { Resource, UnpublishedStatus } from './resource.ts';

/** Where a resource is reached. What is undefined is not known. */
export type Addresses = {
  /** In the VPC. It stays for the life of the resource. */
  readonly privateAddress?: string | undefined;
  /** Public IPv4 address; empty where it has none. */
  readonly publicAddress?: string | undefined;
  /** Whether it gets a public address when it runs: asked for at its launch, or seen once. */
  readonly getsPublicAddress?: boolean | undefined;
  readonly isWindows?: boolean | undefined;
};

/** What other resources of a run can refer to, such as `${web.ip[0].address}`. Each kind has its own shape. */
export type Outputs = Readonly<Record<string, unknown>>;

/** A public address comes within moments; DCM should not wait for it longer than this after the change. */
const publicAddressSeconds = 5;

/**
 * Whether a status must not be published yet because its outputs are not complete. A resource that refers to an output which is missing is
 * never created, so RUNNING waits for the private address without a bound, and for the public one, where the resource gets one, for five seconds.
 */
export const awaitsAddress = (
  vm: Pick<Resource, 'kind'> & Addresses,
  { status, at }: UnpublishedStatus,
  nowMs: number,
): boolean =>
  status === vm.kind.statusOf(vm.kind.runningState) &&
  (vm.privateAddress === undefined || (lacksPublicAddress(vm) && nowMs < (at + publicAddressSeconds) * 1000));

/** It gets a public address, and none is known. */
export const lacksPublicAddress = ({ getsPublicAddress, publicAddress }: Addresses): boolean =>
  getsPublicAddress === true && !publicAddress;

/** Those of the addresses seen that are not held: undefined where there are none. */
export const newAddresses = (held: Addresses, seen: Addresses): Addresses | undefined => {
  const { privateAddress = held.privateAddress, isWindows = held.isWindows } = seen;
  const { publicAddress = held.publicAddress } = seen;
  const isSame =
    privateAddress === held.privateAddress &&
    (publicAddress ?? '') === (held.publicAddress ?? '') &&
    (isWindows ?? false) === (held.isWindows ?? false);
  return isSame ? undefined : { privateAddress, publicAddress, isWindows };
};

/** Whether the status that was published last would have other outputs with these addresses. */
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
