import {
  ModifyInstanceAttributeCommand,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { codes, refusal, type Subject, unknownId } from './subject.ts';

export const changingState = ({ ec2, launch, listed, reaches }: Subject) => {
  const start = (...InstanceIds: string[]) => ec2().send(new StartInstancesCommand({ InstanceIds }));
  const stop = (...InstanceIds: string[]) => ec2().send(new StopInstancesCommand({ InstanceIds }));
  const terminate = (...InstanceIds: string[]) => ec2().send(new TerminateInstancesCommand({ InstanceIds }));
  const protect = (InstanceId: string, Value: boolean) =>
    ec2().send(new ModifyInstanceAttributeCommand({ InstanceId, DisableApiTermination: { Value } }));

  /** How a call is refused before the instance's state has ended by itself, which it may have on a machine that is slower than EC2. */
  const refusedInTime = async (prepare: () => Promise<string>, call: (id: string) => Promise<unknown>) => {
    for (let turn = 0; turn < 10; turn++) {
      const id = await prepare();
      const outcome = await Promise.allSettled([call(id)]);
      if (outcome[0].status === 'rejected') return { id, message: String(outcome[0].reason.message) };
    }
    return expect.fail('the state was over each time');
  };

  describe('changing state', () => {
    it('stops and starts an instance', async () => {
      const [id = ''] = await launch();
      await reaches([id], 'running');

      const stopped = await stop(id);
      const [atRest] = await reaches([id], 'stopped');
      const started = await start(id);
      await reaches([id], 'running');

      expect(stopped.StoppingInstances).toMatchObject([
        { InstanceId: id, PreviousState: { Code: 16, Name: 'running' }, CurrentState: { Name: 'stopping' } },
      ]);
      expect(atRest?.StateReason).toEqual({
        Code: 'Client.UserInitiatedShutdown',
        Message: 'Client.UserInitiatedShutdown: User initiated shutdown',
      });
      expect(started.StartingInstances).toMatchObject([
        { InstanceId: id, PreviousState: { Code: 80, Name: 'stopped' }, CurrentState: { Name: 'pending' } },
      ]);
    });

    it('terminates an instance, also when asked again', async () => {
      const [id = ''] = await launch();
      await terminate(id);
      const [terminated] = await reaches([id], 'terminated');

      const again = await terminate(id);

      expect(terminated?.StateReason?.Code).toBe('Client.UserInitiatedShutdown');
      expect(again.TerminatingInstances).toMatchObject([{ PreviousState: { Code: 48, Name: 'terminated' } }]);
    });

    it('never starts or stops what is terminated', async () => {
      const [id = ''] = await launch();
      await terminate(id);
      await reaches([id], 'terminated');

      const refused = await codes(start(id), stop(id));

      expect(refused).toEqual(['IncorrectInstanceState', 'IncorrectInstanceState']);
    });

    it('neither stops what is pending nor starts what is stopping', async () => {
      const pending = async () => (await launch())[0] ?? '';
      const stopping = async () => {
        const id = await pending();
        await reaches([id], 'running');
        await stop(id);
        return id;
      };

      const tooEarly = await refusedInTime(pending, stop);
      const tooSoon = await refusedInTime(stopping, start);

      expect(tooEarly.message).toBe(
        `This instance '${tooEarly.id}' is not in a state from which it can be stopped.`,
      );
      expect(tooSoon.message).toBe(
        `The instance '${tooSoon.id}' is not in a state from which it can be started.`,
      );
    });

    it('reboots without a change of state', async () => {
      const [id = ''] = await launch();
      await reaches([id], 'running');

      await ec2().send(new RebootInstancesCommand({ InstanceIds: [id] }));

      expect(await listed({ InstanceIds: [id] })).toMatchObject([{ State: { Name: 'running' } }]);
    });

    it('does not terminate a protected instance', async () => {
      const [id = ''] = await launch();
      await protect(id, true);

      const error = await refusal(terminate(id));
      await protect(id, false);
      await terminate(id);

      expect(error.name).toBe('OperationNotPermitted');
      await reaches([id], 'terminated');
    });

    it('changes nothing in a dry run', async () => {
      const [id = ''] = await launch();
      await reaches([id], 'running');
      const dry = { InstanceIds: [id], DryRun: true };

      const refused = await codes(
        ec2().send(new StopInstancesCommand(dry)),
        ec2().send(new TerminateInstancesCommand(dry)),
      );

      expect(refused).toEqual(['DryRunOperation', 'DryRunOperation']);
      await reaches([id], 'running');
    });

    it('fails for an id that does not exist', async () => {
      const refused = await codes(start(unknownId), stop(unknownId), terminate(unknownId));

      expect(new Set(refused)).toEqual(new Set(['InvalidInstanceID.NotFound']));
    });
  });
};
