import { randomUUID } from 'node:crypto';
import { DescribeInstancesCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { codes, refusal, type Subject, tagged } from './subject.ts';

export const launching = ({ ec2, imageId, launch, launchInput, listed, reaches }: Subject) =>
  describe('launching', () => {
    it('launches as many instances as asked, in one reservation', async () => {
      const tag = randomUUID();

      const ids = await launch({ tag, count: 3 });

      const { Reservations } = await ec2().send(new DescribeInstancesCommand({ Filters: [tagged(tag)] }));
      expect(new Set(ids).size).toBe(3);
      expect(Reservations).toHaveLength(1);
    });

    it('shows an instance as it was asked for', async () => {
      const tag = randomUUID();
      const zone = { AvailabilityZone: 'us-east-1b' };

      const [id = ''] = await launch({ tag, Placement: zone });

      const [instance] = await reaches([id], 'running');
      expect(instance).toMatchObject({ ImageId: imageId(), InstanceType: 't3.micro', Placement: zone });
      expect(instance?.Tags).toEqual([{ Key: 'contract', Value: tag }]);
      expect(instance?.PrivateIpAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(Math.abs(Date.now() - Number(instance?.LaunchTime))).toBeLessThan(60_000);
    });

    it('answers while the instances are pending', async () => {
      const { Instances } = await ec2().send(new RunInstancesCommand(launchInput()));

      expect(Instances).toMatchObject([
        { State: { Code: 0, Name: 'pending' }, StateReason: { Code: 'pending' } },
      ]);
    });

    it('launches nothing more when the same is asked again', async () => {
      const input = launchInput({ ClientToken: randomUUID() });
      const first = await ec2().send(new RunInstancesCommand(input));

      const again = await ec2().send(new RunInstancesCommand(input));

      expect(again.ReservationId).toBe(first.ReservationId);
      expect(again.Instances?.map((of) => of.InstanceId)).toEqual(
        first.Instances?.map((of) => of.InstanceId),
      );
    });

    it('refuses something else with the same client token', async () => {
      const input = launchInput({ ClientToken: randomUUID() });
      await ec2().send(new RunInstancesCommand(input));

      const error = await refusal(ec2().send(new RunInstancesCommand({ ...input, MaxCount: 2 })));

      expect(error.name).toBe('IdempotentParameterMismatch');
    });

    it('launches nothing in a dry run', async () => {
      const tag = randomUUID();
      const dryRun = new RunInstancesCommand({ ...launchInput({ tag }), DryRun: true });

      const error = await refusal(ec2().send(dryRun));

      expect(error).toMatchObject({ name: 'DryRunOperation', $metadata: { httpStatusCode: 412 } });
      expect(await listed({ Filters: [tagged(tag)] })).toEqual([]);
    });

    it('launches spot instances', async () => {
      const [id = ''] = await launch({ InstanceMarketOptions: { MarketType: 'spot' } });

      expect(await listed({ InstanceIds: [id] })).toMatchObject([{ InstanceLifecycle: 'spot' }]);
    });

    it('launches the larger count', async () => {
      const ids = await launch({ MinCount: 1, MaxCount: 2 });

      expect(ids).toHaveLength(2);
    });

    it('refuses what cannot be launched', async () => {
      const refused = await codes(
        launch({ ImageId: 'debian' }),
        launch({ MinCount: 2, MaxCount: 1 }),
        launch({ MinCount: 0 }),
        launch({ Placement: { AvailabilityZone: 'eu-west-1a' } }),
      );

      expect(refused).toEqual([
        'InvalidAMIID.Malformed',
        'InvalidParameterCombination',
        'InvalidParameterValue',
        'InvalidParameterValue',
      ]);
    });
  });
