import { describe, expect, it } from 'vitest';
import { disposables } from '../../../local/processes/disposables.ts';
import { startDcm } from '../../../local/stack/dcm.ts';
import { connectProvider, temporaryFolder } from './dcm.ts';

const silent = () => undefined;

/** DCM in the folder hears of one VM and ends. What it has heard of. */
const hearsOf = async (folder: string, dcmId: string): Promise<(string | undefined)[]> => {
  const { use, stop } = disposables();
  try {
    const { natsUrl, controlPlane } = await startDcm({ folder, log: silent, progress: silent }, use);
    await using provider = await connectProvider(natsUrl);
    await provider.report(dcmId, 'RUNNING');
    await controlPlane?.waitFor(dcmId, 'running', 20_000);
    return controlPlane?.history().map(({ id }) => id) ?? [];
  } finally {
    await stop();
  }
};

describe('DCM on a laptop', () => {
  it('receives no events of VMs of an earlier run', async () => {
    await using folder = await temporaryFolder();

    expect(await hearsOf(folder.path, 'then')).toEqual(['then']);
    expect(await hearsOf(folder.path, 'now')).toEqual(['now']);
  });
});
