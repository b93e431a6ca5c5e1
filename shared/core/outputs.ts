import type { VmStatus } from '../service-types/vm/kind.ts';
import type { Resource, UnpublishedStatus } from './resource.ts';

/** Where an instance is reached. What is undefined is not known. */
export type Addresses = {
  /** In the VPC. It stays for the life of the instance. */
  readonly privateAddress?: string | undefined;
  /** Public IPv4 address; empty where it has none. */
  readonly publicAddress?: string | undefined;
  /** Whether it gets a public address when it runs: asked for at its launch, or seen once. */
  readonly getsPublicAddress?: boolean | undefined;
  readonly isWindows?: boolean | undefined;
};

/**
 * What other resources of a run can refer to, such as `${web.ip[0].address}`: the internal address first, for references are by index.
 * @see https://github.com/dcm-project/control-plane (api/catalog/v1alpha1/servicetypes/vm/spec.yaml, VmEndpoint)
 */
export type VmOutputs = {
  readonly ip: readonly {
    readonly address: string;
    readonly port: number;
    readonly scope: 'internal' | 'external';
  }[];
};

const sshPort = 22;
const remoteDesktopPort = 3389;

/**
 * The outputs that a status is published with, always complete, for DCM replaces what it held. Undefined where it keeps what it holds: with
 * all statuses but RUNNING and STOPPED, and while the private address is not known. A stopped VM has the internal address alone.
 */
export const outputsOf = (
  { privateAddress, publicAddress, isWindows }: Addresses,
  status: VmStatus,
): VmOutputs | undefined => {
  if (privateAddress === undefined || (status !== 'RUNNING' && status !== 'STOPPED')) return undefined;
  const port = isWindows ? remoteDesktopPort : sshPort;
  return {
    ip: [
      { address: privateAddress, port, scope: 'internal' },
      ...(status === 'RUNNING' && publicAddress
        ? [{ address: publicAddress, port, scope: 'external' } as const]
        : []),
    ],
  };
};

/** EC2 gives a public address within moments; DCM should not wait for it longer than this after the change. */
const publicAddressSeconds = 5;

/**
 * Whether a status must not be published yet because its outputs are not complete. A resource that refers to an output which is missing is
 * never created, so RUNNING waits for the private address without a bound, and for the public one, where the VM gets one, for five seconds.
 */
export const awaitsAddress = (vm: Addresses, { status, at }: UnpublishedStatus, nowMs: number): boolean =>
  status === 'RUNNING' &&
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
  { latest, ...held }: Pick<Resource, 'latest'> & Addresses,
  seen: Addresses,
): boolean => {
  const found = newAddresses(held, seen);
  if (latest === undefined || found === undefined) return false;
  return JSON.stringify(outputsOf(held, latest.status)) !== JSON.stringify(outputsOf(found, latest.status));
};
