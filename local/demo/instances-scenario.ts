import { setTimeout as sleep } from 'node:timers/promises';
import type { Watched } from '../emulators/dcm/status-history.ts';
import type { Ec2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import type { Actor, cast } from './ec2-actions.ts';

const timeoutMs = 60_000;

type Stage = {
  readonly actions: ReturnType<typeof cast>;
  /** The same in the region that sends no events. */
  readonly silentActions: ReturnType<typeof cast>;
  readonly simulator: Ec2Simulator;
  readonly controlPlane: Pick<Watched, 'waitFor'>;
  readonly provider: string;
  readonly say: (line: string) => void;
};

/** Plays a few VMs' lives from launch to end, each scene when DCM has seen the one before. */
export const story = async (stage: Stage): Promise<void> => {
  const { actions, silentActions, simulator, controlPlane, provider, say } = stage;
  const until = async (status: string, ...actors: Actor[]) => {
    await Promise.all(actors.map(({ dcmId = '' }) => controlPlane.waitFor(dcmId, status, timeoutMs)));
    await sleep(1_020 - (Date.now() % 1_000)); // EC2 tells times by the second; a person would not act within one
  };
  const ours = { owner: 'ours', provider } as const;

  say(
    'five VMs are launched, one of them spot, one in a region without events; so are two instances that are not ours',
  );
  const [web1, web2, db, spot, legacy, ...strangers] = await Promise.all([
    actions.launch({ name: 'web-1', ...ours }),
    actions.launch({ name: 'web-2', ...ours }),
    actions.launch({ name: 'db-1', ...ours, seenBy: 'listings' }),
    actions.launch({ name: 'spot-1', ...ours, spot: true }),
    silentActions.launch({ name: 'legacy-1', ...ours, seenBy: 'listings' }),
    actions.launch({ name: 'stranger', owner: 'ownership-removed' }),
    actions.launch({ name: 'neighbour', owner: 'another provider' }),
  ]);
  await until('running', web1, web2, db, spot, legacy);

  say('web-1 and web-2 are stopped');
  await actions.stop(web1, web2, ...strangers);
  await until('stopped', web1, web2);

  say('web-1 is started again; EC2 takes spot-1 back');
  const interrupted = simulator.interruptSpot(spot.instanceId, { noticeMs: 1_500 });
  await actions.start(web1);
  await Promise.all([interrupted, until('running', web1), until('failed', spot)]);

  say('db-1 is terminated, and EventBridge loses every event of it: the next listing finds out');
  simulator.faults({ loseEvents: 1 });
  await actions.terminate(db);
  await until('deleted', db);
  simulator.faults({ loseEvents: 0 });

  say('all that is left is terminated');
  await Promise.all([actions.terminate(web1, web2, ...strangers), silentActions.terminate(legacy)]);
  await until('deleted', web1, web2, legacy);
};
