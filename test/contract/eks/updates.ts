import {
  CreateNodegroupCommand,
  DeleteClusterCommand,
  DescribeClusterCommand,
  DescribeUpdateCommand,
  ListUpdatesCommand,
  UpdateClusterConfigCommand,
  UpdateClusterVersionCommand,
} from '@aws-sdk/client-eks';
import { describe, expect, it } from 'vitest';
import { autoMode } from './clusters.ts';
import { codes, refusal, type Subject } from './subject.ts';

export const updates = ({ eks, emulator, active, nodeGroup }: Subject) => {
  const described = async (name: string) => (await eks().send(new DescribeClusterCommand({ name }))).cluster;
  const updateOf = async (name: string, updateId: string | undefined) =>
    (await eks().send(new DescribeUpdateCommand({ name, updateId }))).update;
  const updateVersion = (name: string, version: string) =>
    eks().send(new UpdateClusterVersionCommand({ name, version }));
  const ended = (name: string) => emulator().settle(name);

  describe('updating a cluster', () => {
    it('is UPDATING, then ACTIVE with the next version', async () => {
      const name = await active({ version: '1.32' });

      const { update } = await updateVersion(name, '1.33');
      const updating = await described(name);
      ended(name);

      expect(update).toMatchObject({
        ...{ status: 'InProgress', type: 'VersionUpdate' },
        params: [{ type: 'Version', value: '1.33' }],
      });
      expect(updating).toMatchObject({ status: 'UPDATING', version: '1.32', endpoint: expect.any(String) });
      expect((await described(name))?.version).toBe('1.33');
      expect((await updateOf(name, update?.id))?.status).toBe('Successful');
      expect((await eks().send(new ListUpdatesCommand({ name }))).updateIds).toEqual([update?.id]);
    });

    it('is ACTIVE with the old version after a failed update, which has the error', async () => {
      const name = await active({ version: '1.32' });
      emulator().faults({ updateOutcome: 'Failed' });

      const { update } = await updateVersion(name, '1.33');

      emulator().faults({ updateOutcome: 'Successful' });
      ended(name);
      expect((await described(name))?.version).toBe('1.32');
      expect(await updateOf(name, update?.id)).toMatchObject({
        status: 'Failed',
        errors: [{ errorCode: 'Unknown' }],
      });
    });

    it('refuses a version that is not the next one', async () => {
      const name = await active({ version: '1.32' });

      expect(await codes(updateVersion(name, '1.34'), updateVersion(name, '1.31'))).toEqual([
        'InvalidParameterException',
        'InvalidParameterException',
      ]);
    });

    it('changes one thing of the configuration at a time', async () => {
      const name = await active();
      const change = (input: object) => eks().send(new UpdateClusterConfigCommand({ name, ...input }));

      const refused = await codes(
        change({}),
        change({ deletionProtection: true, upgradePolicy: { supportType: 'STANDARD' } }),
        change({ computeConfig: { enabled: true } }),
      );
      const { update } = await change({ upgradePolicy: { supportType: 'STANDARD' } });
      ended(name);

      expect(refused).toEqual(Array<string>(3).fill('InvalidParameterException'));
      expect(update?.type).toBe('UpgradePolicyUpdate');
      expect((await described(name))?.upgradePolicy).toEqual({ supportType: 'STANDARD' });
    });

    it('turns Auto Mode on', async () => {
      const name = await active({ accessConfig: { authenticationMode: 'API' } });
      const { computeConfig, kubernetesNetworkConfig, storageConfig } = autoMode(true);

      const { update } = await eks().send(
        new UpdateClusterConfigCommand({ name, computeConfig, kubernetesNetworkConfig, storageConfig }),
      );
      ended(name);

      expect(update?.type).toBe('AutoModeUpdate');
      expect((await described(name))?.computeConfig).toEqual(computeConfig);
    });

    it('refuses every other change until it has ended', async () => {
      const name = await active({ version: '1.32' });
      const { update } = await updateVersion(name, '1.33');

      const error = await refusal(eks().send(new DeleteClusterCommand({ name })));

      expect(error).toMatchObject({
        name: 'ResourceInUseException',
        message: `Cannot delete because cluster ${name} currently has update ${update?.id} in progress`,
      });
      expect(await codes(updateVersion(name, '1.34'))).toEqual(['ResourceInUseException']);
      expect(await codes(eks().send(new CreateNodegroupCommand(nodeGroup(name))))).toEqual([
        'InvalidRequestException',
      ]);
    });

    it.each(['Successful', 'Failed'] as const)(
      'can be done by somebody else, with the outcome %s',
      async (outcome) => {
        const name = await active();
        const errors = [{ errorCode: 'ClusterUnreachable', errorMessage: 'no route' }];

        const id = emulator().updateCluster(name, { outcome, errors });
        const updating = await described(name);
        ended(name);

        expect(updating?.status).toBe('UPDATING');
        expect(await updateOf(name, id)).toMatchObject({
          status: outcome,
          errors: outcome === 'Failed' ? errors : [],
        });
      },
    );
  });

  it('shows ACTIVE and yet refuses changes while the control plane is patched', async () => {
    const name = await active();
    emulator().startPatch(name);

    const refused = await codes(
      eks().send(new CreateNodegroupCommand(nodeGroup(name))),
      eks().send(new DeleteClusterCommand({ name })),
      updateVersion(name, '1.34'),
    );

    expect(refused).toEqual(Array<string>(3).fill('ResourceInUseException'));
    expect((await described(name))?.status).toBe('ACTIVE');
    emulator().endPatch(name);
    await eks().send(new DeleteClusterCommand({ name }));
  });
};
