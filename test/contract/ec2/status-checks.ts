import {
  DescribeInstanceStatusCommand,
  paginateDescribeInstanceStatus,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { codes, type Subject } from './subject.ts';

export const statusChecks = ({ ec2, launch, reaches }: Subject) =>
  describe('status checks', () => {
    it('are told of what runs, and of the rest when asked', async () => {
      const [running = '', stopped = ''] = await launch({ count: 2 });
      await reaches([running, stopped], 'running');
      await ec2().send(new StopInstancesCommand({ InstanceIds: [stopped] }));
      await reaches([stopped], 'stopped');
      const both = { InstanceIds: [running, stopped] };

      const some = await ec2().send(new DescribeInstanceStatusCommand(both));
      const all = await ec2().send(new DescribeInstanceStatusCommand({ ...both, IncludeAllInstances: true }));

      expect(some.InstanceStatuses).toMatchObject([{ InstanceId: running, SystemStatus: { Status: 'ok' } }]);
      expect(all.InstanceStatuses).toHaveLength(2);
    });

    it('of healthy instances are not found as impaired', async () => {
      const ids = await launch({ count: 2 });
      await reaches(ids, 'running');
      const impaired = async (Name: string) => {
        const Filters = [{ Name, Values: ['impaired'] }];
        const asked = new DescribeInstanceStatusCommand({ Filters, InstanceIds: ids });
        return (await ec2().send(asked)).InstanceStatuses;
      };

      const [instance, system] = [
        await impaired('instance-status.status'),
        await impaired('system-status.status'),
      ];

      expect([instance, system]).toEqual([[], []]);
    });

    it('are told once of every instance, page by page', async () => {
      const ids = await launch({ count: 12 });
      await reaches(ids, 'running');

      const pages: string[][] = [];
      for await (const { InstanceStatuses = [] } of paginateDescribeInstanceStatus(
        { client: ec2(), pageSize: 5 },
        { Filters: [{ Name: 'instance-state-name', Values: ['running'] }] },
      )) {
        pages.push(InstanceStatuses.map(({ InstanceId = '' }) => InstanceId));
      }

      expect(pages.every(({ length }) => length <= 5)).toBe(true);
      expect(
        pages
          .flat()
          .filter((id) => ids.includes(id))
          .sort(),
      ).toEqual(ids.sort());
    });

    it('refuse ids together with paging, and a page too small', async () => {
      const [id = ''] = await launch();

      const refused = await codes(
        ec2().send(new DescribeInstanceStatusCommand({ InstanceIds: [id], MaxResults: 5 })),
        ec2().send(new DescribeInstanceStatusCommand({ MaxResults: 4 })),
      );

      expect(refused).toEqual(['InvalidParameterCombination', 'InvalidParameterValue']);
    });
  });
