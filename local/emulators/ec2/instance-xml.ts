import type { Tags } from '../../../shared/core/ownership.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import { addressesOf, type DescribedInstance, volumeId } from './instance.ts';
import { stateCode, transitionReason } from './lifecycle.ts';
import { items, type XmlElements } from './query-protocol.ts';

/** The instances of one launch. @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Reservation.html */
export const reservationXml = (instances: readonly DescribedInstance[], account: string): XmlElements => ({
  reservationId: instances[0]?.launch.reservationId,
  ownerId: account,
  groupSet: '',
  instancesSet: items(instances.map(instanceXml)),
});

export const stateXml = (state: InstanceState): XmlElements => ({ code: stateCode[state], name: state });

export const tagSet = (tags: Tags) => items(Object.entries(tags).map(([key, value]) => ({ key, value })));

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html */
const instanceXml = (instance: DescribedInstance): XmlElements => {
  const { launch, reason } = instance;
  const { privateIp, privateDns, publicIp, publicDns } = addressesOf(instance);
  return {
    instanceId: instance.id,
    imageId: launch.imageId,
    instanceState: stateXml(instance.state),
    privateDnsName: privateDns ?? '',
    dnsName: publicDns ?? '',
    reason: transitionReason(reason, instance.changedAtMs),
    keyName: launch.keyName,
    amiLaunchIndex: instance.launchIndex,
    productCodes: '',
    instanceType: launch.instanceType,
    launchTime: new Date(instance.launchedAtMs).toISOString().replace(/\.\d+/, '.000'),
    placement: { availabilityZone: launch.availabilityZone, groupName: '', tenancy: 'default' },
    monitoring: { state: 'disabled' },
    subnetId: launch.subnetId,
    vpcId: launch.vpcId,
    privateIpAddress: privateIp,
    ipAddress: publicIp,
    sourceDestCheck: true,
    groupSet: items(launch.securityGroupIds.map((groupId) => ({ groupId, groupName: groupId }))),
    stateReason: reason && { code: reason.code, message: reason.message },
    architecture: launch.architecture,
    platform: launch.windows ? 'windows' : undefined,
    platformDetails: launch.windows ? 'Windows' : 'Linux/UNIX',
    rootDeviceType: 'ebs',
    rootDeviceName: launch.rootDevice,
    blockDeviceMapping: items(volumesXml(instance)),
    virtualizationType: 'hvm',
    instanceLifecycle: launch.spot && 'spot',
    clientToken: launch.clientToken ?? '',
    tagSet: tagSet(instance.tags),
    hypervisor: 'xen',
    networkInterfaceSet: '',
    ebsOptimized: false,
    iamInstanceProfile: launch.instanceProfile && {
      arn: launch.instanceProfile,
      id: 'AIPA0000000000LOCAL00',
    },
    metadataOptions: metadataXml(launch),
    hibernationOptions: { configured: launch.hibernation },
  };
};

const volumesXml = ({ id, launch, launchedAtMs, state }: DescribedInstance): XmlElements[] =>
  state === 'terminated'
    ? []
    : launch.devices.map(({ name, deleteOnTermination }, index) => ({
        deviceName: name,
        ebs: {
          volumeId: volumeId(id, index),
          status: 'attached',
          attachTime: new Date(launchedAtMs).toISOString(),
          deleteOnTermination,
        },
      }));

const metadataXml = ({ metadata }: DescribedInstance['launch']): XmlElements => ({
  state: 'applied',
  httpTokens: metadata.HttpTokens,
  httpPutResponseHopLimit: metadata.HttpPutResponseHopLimit,
  httpEndpoint: metadata.HttpEndpoint,
});
