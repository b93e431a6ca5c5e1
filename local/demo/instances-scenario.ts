import { setTimeout as sleep } from 'node:timers/promises';
import type { Watched } from '../emulators/dcm/status-history.ts';
import type { Ec2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import type { DemoInstance, ec2Actions } from './ec2-actions.ts';

const timeoutMs = 60_000;

type Context = {
  readonly actions: ReturnType<typeof ec2Actions>;
  /** The same in the region that sends no events. */
  readonly silentActions: ReturnType<typeof ec2Actions>;
  readonly simulator: Ec2Simulator;
  readonly controlPlane: Pick<Watched, 'waitFor'>;
  readonly provider: string;
  readonly print: (line: string) => void;
};

/** Launches a few VMs through EC2's API and changes them until all are terminated. Each step waits until DCM has the statuses of the one before. */
export const runInstancesScenario = async (context: Context): Promise<void> => {
  const { actions, silentActions, simulator, controlPlane, provider, print } = context;
  const waitFor = async (status: string, ...instances: DemoInstance[]) => {
    await Promise.all(instances.map(({ dcmId = '' }) => controlPlane.waitFor(dcmId, status, timeoutMs)));
    await sleep(1_020 - (Date.now() % 1_000)); // EC2's times are to the second, so the next change comes in the next second
  };
  const ours = { owner: 'ours', provider } as const;

  print(
    'Launching five VMs, one of them spot and one in a region without events, and two instances that are not ours.',
  );
  const [web1, web2, db, spot, legacy, ...foreign] = await Promise.all([
    actions.launch({ name: 'web-1', ...ours }),
    actions.launch({ name: 'web-2', ...ours }),
    actions.launch({ name: 'db-1', ...ours, reportedBy: 'listings' }),
    actions.launch({ name: 'spot-1', ...ours, spot: true }),
    silentActions.launch({ name: 'legacy-1', ...ours, reportedBy: 'listings' }),
    actions.launch({ name: 'untagged', owner: 'untagged' }),
    actions.launch({ name: 'other-provider', owner: 'another provider' }),
  ]);
  await waitFor('running', web1, web2, db, spot, legacy);

  print('Stopping web-1 and web-2.');
  await actions.stop(web1, web2, ...foreign);
  await waitFor('stopped', web1, web2);

  print('Starting web-1 again. EC2 interrupts spot-1.');
  const interrupted = simulator.interruptSpot(spot.instanceId, { noticeMs: 1_500 });
  await actions.start(web1);
  await Promise.all([interrupted, waitFor('running', web1), waitFor('failed', spot)]);

  print('Terminating db-1. EventBridge loses all its events, and the next listing finds the change.');
  simulator.faults({ loseEventsOf: [db.instanceId] });
  await actions.terminate(db);
  await waitFor('deleted', db);
  simulator.faults({ loseEventsOf: [] });

  print('Terminating all other instances.');
  await Promise.all([actions.terminate(web1, web2, ...foreign), silentActions.terminate(legacy)]);
  await waitFor('deleted', web1, web2, legacy);
};
