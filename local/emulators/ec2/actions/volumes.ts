import * as z from 'zod';
import { action } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import { type Device, type SimulatedInstance, volumeId } from '../instance.ts';
import { tagSet } from '../instance-xml.ts';
import { Paging, pageOf } from '../page.ts';
import { Ec2Error, items, type XmlElements } from '../query-protocol.ts';
import type { Region } from '../region.ts';

const Request = Paging.extend({ VolumeId: z.array(z.string()).optional(), Filter: Filters });

type Volume = { readonly id: string; readonly device: Device; readonly instance: SimulatedInstance };

/**
 * The volumes of instances. One whose instance is terminated stays, available, where the launch said so, as long as the emulator keeps the
 * instance.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html
 */
export const describeVolumes = action(Request, ({ VolumeId: ids, Filter, ...paging }, region) => {
  const all = volumesOf(region);
  const unknown = ids?.find((id) => !all.some((one) => one.id === id));
  if (unknown !== undefined)
    throw new Ec2Error('InvalidVolume.NotFound', `The volume '${unknown}' does not exist.`);
  const named = ids === undefined ? all : all.filter(({ id }) => ids.includes(id));
  const sorted = [...applyFilters(named, Filter, fields)].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { page, nextToken } = pageOf(sorted, paging, ({ id }) => id);
  return () => ({ volumeSet: items(page.map(volumeXml)), nextToken });
});

const isEnded = ({ status }: SimulatedInstance): boolean => status.value.state === 'terminated';

const volumesOf = (region: Region): readonly Volume[] =>
  [...region.all()].flatMap((instance) =>
    instance.launch.devices.flatMap((device, index) =>
      isEnded(instance) && device.deleteOnTermination
        ? []
        : [{ id: volumeId(instance.id, index), device, instance }],
    ),
  );

const stateOf = ({ instance }: Volume) => (isEnded(instance) ? 'available' : 'in-use');

const volumeXml = (volume: Volume): XmlElements => {
  const { id, device, instance } = volume;
  const createdAt = new Date(earliest(instance)).toISOString();
  const attachment = {
    volumeId: id,
    instanceId: instance.id,
    device: device.name,
    status: 'attached',
    attachTime: createdAt,
    deleteOnTermination: device.deleteOnTermination,
  };
  return {
    volumeId: id,
    size: device.gib,
    snapshotId: device.snapshotId ?? '',
    availabilityZone: instance.launch.availabilityZone,
    status: stateOf(volume),
    createTime: createdAt,
    attachmentSet: items(isEnded(instance) ? [] : [attachment]),
    tagSet: tagSet(instance.launch.volumeTags),
    volumeType: device.volumeType,
    ...(device.volumeType === 'gp3' && { iops: 3000, throughput: 125 }),
    encrypted: device.encrypted,
    multiAttachEnabled: false,
  };
};

const earliest = ({ status }: SimulatedInstance): number => status.before.at(-1)?.atMs ?? status.atMs;

const ofAttachment =
  (field: (volume: Volume) => string): ((volume: Volume) => readonly string[]) =>
  (volume) =>
    isEnded(volume.instance) ? [] : [field(volume)];

const fields: Fields<Volume> = {
  'attachment.device': ofAttachment(({ device }) => device.name),
  'attachment.instance-id': ofAttachment(({ instance }) => instance.id),
  'attachment.status': ofAttachment(() => 'attached'),
  'availability-zone': ({ instance }) => [instance.launch.availabilityZone],
  encrypted: ({ device }) => [String(device.encrypted)],
  size: ({ device }) => [String(device.gib)],
  'snapshot-id': ({ device }) => [device.snapshotId],
  status: (volume) => [stateOf(volume)],
  'tag:': ({ instance: { launch } }, key) =>
    Object.hasOwn(launch.volumeTags, key) ? [launch.volumeTags[key]] : [],
  'tag-key': ({ instance }) => Object.keys(instance.launch.volumeTags),
  'volume-id': ({ id }) => [id],
  'volume-type': ({ device }) => [device.volumeType],
};
