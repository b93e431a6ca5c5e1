import { describe, expect, it } from 'vitest';
import type { AgentRequests } from '../../shared/ports/agent-requests.ts';
import { createOf } from '../fixtures/agent-requests.ts';

type Subject = {
  readonly requests: AgentRequests;
  /** Publishes on `dcm.agent.<agent>`, in the order given. */
  readonly publish: (messages: readonly string[], agent?: string) => Promise<void>;
};

const foreign = [
  ['a delete', createOf('r', 'vm-1', { type: 'dcm.request.delete' })],
  ['a cancel', createOf('r', 'vm-1', { type: 'dcm.request.cancel' })],
  ['another type', createOf('r', 'vm-1', { type: 'dcm.status.vm' })],
  ['a request without a resource id', createOf('r', 'vm-1', { data: { service_type: 'vm' } })],
  ['a request with an empty resource id', createOf('r', '')],
  ['a request whose data is text', createOf('r', 'vm-1', { data: '{"resource_id":"vm-1"}' })],
  ['a request without data', createOf('r', 'vm-1', { data: null })],
  ['a request whose resource id is a number', createOf('r', 'vm-1', { data: { resource_id: 7 } })],
] as const;

/** The resource that a create is for. */
export const resourceOf = async (requests: AgentRequests, key: string): Promise<string | undefined> =>
  (await requests.find(key))?.resourceId;

/** What every AgentRequests is held to. */
export const agentRequestsContract = (name: string, make: () => Promise<Subject>) => {
  describe(`agent requests: ${name}`, () => {
    it('finds the resource of a create by the id of its CloudEvent', async () => {
      const { requests, publish } = await make();
      await publish([createOf('r-1', 'vm-1'), createOf('r-2', 'vm-2')]);

      expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
      expect(await resourceOf(requests, 'r-2')).toBe('vm-2');
    });

    it('finds a create that was published after an earlier look', async () => {
      const { requests, publish } = await make();
      await publish([createOf('r-1', 'vm-1')]);
      expect(await requests.find('r-2')).toBeNull();

      await publish([createOf('r-2', 'vm-2')]);

      expect(await resourceOf(requests, 'r-2')).toBe('vm-2');
    });

    it('reads requests of older control planes', async () => {
      const { requests, publish } = await make();
      await publish([createOf('r-1', '', { data: { resourceId: 'vm-1', spec: {} } })]);

      expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
    });

    it('says of which service type a create is, where the request does', async () => {
      const { requests, publish } = await make();
      const data = { resource_id: 'c-1', service_type: 'container', spec: {} };
      await publish([
        createOf('r-1', 'c-1', { data }),
        createOf('r-2', '', { data: { resourceId: 'vm-2' } }),
      ]);

      expect(await requests.find('r-1')).toMatchObject({ resourceId: 'c-1', serviceType: 'container' });
      expect(await requests.find('r-2')).toMatchObject({ resourceId: 'vm-2', serviceType: undefined });
    });

    it('finds creates among those of other agents', async () => {
      const { requests, publish } = await make();
      await publish([createOf('r-1', 'vm-1')], 'ec2');
      await publish([createOf('r-2', 'container-2')], 'kubernetes');

      expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
    });

    it('answers null where there is no such request', async () => {
      const { requests, publish } = await make();
      expect(await requests.find('r-1')).toBeNull();

      await publish([createOf('r-2', 'vm-2')]);

      expect(await requests.find('r-1')).toBeNull();
    });

    it.each(foreign)('does not take %s for a create, and finds what is behind it', async (_, message) => {
      const { requests, publish } = await make();
      await publish([createOf('r-0', 'vm-0'), message]);

      expect(await requests.find('r')).toBeNull();
      expect(await resourceOf(requests, 'r-0')).toBe('vm-0');
    });

    it.each(['', 'text', '[]', 'null', '{"foo":"bar"}', '\u0000'])(
      'is not confused by the message %j',
      async (message) => {
        const { requests, publish } = await make();
        await publish([createOf('r-1', 'vm-1'), message, createOf('r-2', 'vm-2')]);

        expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
        expect(await requests.find('r-3')).toBeNull();
      },
    );

    it('answers the same for a request that was published twice', async () => {
      const { requests, publish } = await make();
      await publish([createOf('r-1', 'vm-1'), createOf('r-2', 'vm-2'), createOf('r-1', 'vm-1')]);

      const found = await Promise.all([resourceOf(requests, 'r-1'), resourceOf(requests, 'r-1')]);

      expect(found).toEqual(['vm-1', 'vm-1']);
    });

    it('correlates fifty creates that come at once, each with its own resource', async () => {
      const { requests, publish } = await make();
      const numbers = Array.from({ length: 50 }, (_, n) => n);
      await publish(numbers.map((n) => createOf(`r-${n}`, `vm-${n}`)));

      const found = await Promise.all(numbers.map((n) => resourceOf(requests, `r-${n}`)));

      expect(found).toEqual(numbers.map((n) => `vm-${n}`));
    });
  });
};
