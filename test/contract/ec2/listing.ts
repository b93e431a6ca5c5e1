import { randomUUID } from 'node:crypto';
import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeRegionsCommand,
  EC2Client,
  paginateDescribeInstances,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { codes, refusal, type Subject, tagged, unknownId } from './subject.ts';

export const listing = ({ ec2, imageId, launch, listed, reaches, url }: Subject) =>
  describe('listing', () => {
    it('finds by filters: every filter, by any of its values, with wildcards', async () => {
      const tag = randomUUID();
      const [id = ''] = await launch({ tag });
      await launch({ tag, InstanceType: 't3.small' });
      await reaches([id], 'running');

      const found = await listed({
        Filters: [
          { Name: 'tag:contract', Values: ['nothing', `${tag.slice(0, 20)}*`] },
          { Name: 'tag-key', Values: ['contract'] },
          { Name: 'instance-type', Values: ['t3.micro'] },
          { Name: 'instance-state-name', Values: ['running', 'stopped'] },
          { Name: 'instance-id', Values: [id, unknownId] },
        ],
      });

      expect(found.map(({ InstanceId }) => InstanceId)).toEqual([id]);
    });

    it('gives every instance once, page by page', async () => {
      const tag = randomUUID();
      const ids = (await Promise.all(Array.from({ length: 12 }, () => launch({ tag })))).flat();

      const pages: (string | undefined)[][] = [];
      const paging = { client: ec2(), pageSize: 5 };
      for await (const { Reservations = [] } of paginateDescribeInstances(paging, {
        Filters: [tagged(tag)],
      })) {
        const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
        pages.push(instances.map(({ InstanceId }) => InstanceId));
      }

      expect(pages.map(({ length }) => length)).toEqual([5, 5, 2]);
      expect(pages.flat().sort()).toEqual(ids.sort());
    });

    it('gives a page again to who asks again with its token', async () => {
      const tag = randomUUID();
      await Promise.all(Array.from({ length: 7 }, () => launch({ tag })));
      const paged = { Filters: [tagged(tag)], MaxResults: 5 };
      const { NextToken } = await ec2().send(new DescribeInstancesCommand(paged));

      const [once, again] = [await listed({ ...paged, NextToken }), await listed({ ...paged, NextToken })];

      expect(once).toHaveLength(2);
      expect(again.map(({ InstanceId }) => InstanceId)).toEqual(once.map(({ InstanceId }) => InstanceId));
    });

    it('leaves out what does not exist where ids are a filter, and fails for none of them', async () => {
      const tag = randomUUID();
      const [id = ''] = await launch({ tag });
      const asked = { Name: 'instance-id', Values: [unknownId, id] };

      const found = await listed({ Filters: [asked, tagged(tag)], MaxResults: 1000 });

      expect(found.map(({ InstanceId }) => InstanceId)).toEqual([id]);
      expect(await listed({ Filters: [{ ...asked, Values: [unknownId] }], MaxResults: 1000 })).toEqual([]);
    });

    it('shows what was just terminated, also by its tags', async () => {
      const tag = randomUUID();
      const [id = ''] = await launch({ tag });
      await ec2().send(new TerminateInstancesCommand({ InstanceIds: [id] }));
      await reaches([id], 'terminated');

      expect(await listed({ Filters: [tagged(tag)] })).toMatchObject([
        { InstanceId: id, State: { Code: 48, Name: 'terminated' } },
      ]);
    });

    it('fails for an id that does not exist, and for what is no id', async () => {
      const unknown = await refusal(listed({ InstanceIds: [unknownId] }));
      const malformed = await refusal(listed({ InstanceIds: ['vm-1'] }));

      expect(unknown).toMatchObject({
        name: 'InvalidInstanceID.NotFound',
        message: `The instance ID '${unknownId}' does not exist`,
        $metadata: { httpStatusCode: 400 },
      });
      expect(malformed.name).toMatch(/^InvalidInstanceID\.(Malformed|NotFound)$/);
    });

    it('refuses bad pages, bad filters, and ids together with paging', async () => {
      const [id = ''] = await launch();
      const many = Array.from({ length: 201 }, (_, index) => `i-${String(index).padStart(17, '0')}`);

      const refused = await codes(
        listed({ InstanceIds: [id], MaxResults: 5 }),
        listed({ MaxResults: 4 }),
        listed({ MaxResults: 1001 }),
        listed({ NextToken: 'made up' }),
        listed({ Filters: [{ Name: 'instance-id', Values: many }] }),
        listed({ Filters: [{ Name: 'favourite-colour', Values: ['red'] }] }),
      );

      expect(refused).toEqual([
        'InvalidParameterCombination',
        'InvalidParameterValue',
        'InvalidParameterValue',
        'InvalidNextToken',
        'FilterLimitExceeded',
        'InvalidParameterValue',
      ]);
    });

    it('keeps regions apart', async () => {
      const tag = randomUUID();
      const elsewhere = new EC2Client(clientConfig(url(), 'eu-west-1'));
      await launch({ tag });

      const { Reservations } = await elsewhere.send(new DescribeInstancesCommand({ Filters: [tagged(tag)] }));

      elsewhere.destroy();
      expect(Reservations).toEqual([]);
    });

    it('knows regions, instance types and images', async () => {
      const { Regions } = await ec2().send(new DescribeRegionsCommand({ RegionNames: ['eu-west-1'] }));
      const { InstanceTypes } = await ec2().send(
        new DescribeInstanceTypesCommand({ InstanceTypes: ['t3.micro'] }),
      );
      const { Images } = await ec2().send(new DescribeImagesCommand({ ImageIds: [imageId()] }));

      expect(Regions).toMatchObject([{ RegionName: 'eu-west-1', Endpoint: 'ec2.eu-west-1.amazonaws.com' }]);
      expect(InstanceTypes).toMatchObject([
        { VCpuInfo: { DefaultVCpus: 2 }, MemoryInfo: { SizeInMiB: 1024 } },
      ]);
      expect(Images).toMatchObject([{ ImageId: imageId(), State: 'available', Architecture: 'x86_64' }]);
    });
  });
