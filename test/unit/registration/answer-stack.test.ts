import { describe, expect, it } from 'vitest';
import { handleRequest } from '../../../functions/registration/handle-request.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { registriesOf, scriptedRegistration } from './scripted-registration.ts';

const properties = (...rowNames: string[]) => ({
  ServiceToken: 'arn:aws:lambda:eu-west-1:123456789012:function:x',
  controlPlaneUrl: 'http://dcm.test',
  publicUrl: 'https://api.test',
  rowNames,
});
const frame = {
  RequestId: '1',
  StackId: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/dcm-ec2-sp/1',
  ResponseURL: 'https://cloudformation.test',
  ResourceType: 'Custom::DcmProviderRows',
  LogicalResourceId: 'Rows',
};
const both = properties('ec2-sp', 'ec2-sp-us-east-1');
const create = { ...frame, RequestType: 'Create', ResourceProperties: both };
const remove = { ...frame, RequestType: 'Delete', ResourceProperties: both };
const update = (before: object) => ({
  ...frame,
  RequestType: 'Update',
  ResourceProperties: properties('ec2-sp'),
  OldResourceProperties: before,
});
const unreachable = { outcome: 'unreachable', detail: 'ECONNREFUSED', retryAfterSeconds: undefined } as const;

describe('the custom resource', () => {
  it('registers the providers when it is created, and answers the outcome', async () => {
    const { ask, dcm } = scriptedRegistration();

    const answer = await ask(create);

    expect(answer).toEqual({
      PhysicalResourceId: 'dcm-provider-rows',
      Data: { outcome: 'ec2-sp: registered; ec2-sp-us-east-1: registered' },
    });
    expect(dcm.registered()).toHaveLength(2);
  });

  it('succeeds when DCM cannot be reached, and answers so; the schedule registers later', async () => {
    let answer: typeof unreachable | undefined = unreachable;
    const { ask, dcm } = scriptedRegistration({ regions: ['eu-west-1'], says: () => answer });

    expect(await ask(create)).toMatchObject({ Data: { outcome: 'ec2-sp: unreachable (ECONNREFUSED)' } });

    answer = undefined;
    await ask({ do: 'keep-registered' });
    expect(dcm.registered()).toHaveLength(1);
  });

  it('succeeds when a secret or the resource store cannot be read', async () => {
    const { parts } = scriptedRegistration();
    const ask = handleRequest({
      ...parts,
      secret: () => Promise.reject(new UnavailableError('the secret dcm/api cannot be read')),
    });

    expect(await ask(create)).toMatchObject({
      Data: { outcome: 'not registered yet: the secret dcm/api cannot be read' },
    });
  });

  it('tries a refused provider again at once, because a deployment can have changed the reason', async () => {
    const refused = { outcome: 'refused', detail: 'no' } as const;
    const { ask, attempts } = scriptedRegistration({ regions: ['eu-west-1'], says: () => refused });
    await ask(create);

    await ask(update(properties('ec2-sp')));

    expect(attempts).toHaveLength(2);
  });

  it('withdraws the providers of removed regions', async () => {
    const before = scriptedRegistration();
    await before.ask(create);
    const after = handleRequest({
      ...before.parts,
      settings: { ...before.parts.settings, registries: registriesOf(['eu-west-1'], 'control-plane') },
    });

    const answer = await after(update(both));

    expect(answer).toMatchObject({ PhysicalResourceId: 'dcm-provider-rows' });
    expect(before.dcm.registered().map(({ name }) => name)).toEqual(['ec2-sp']);
    expect(await before.outcomeOf('ec2-sp-us-east-1')).toBeUndefined();
  });

  it('withdraws all providers when it is deleted (C 52)', async () => {
    const { ask, dcm } = scriptedRegistration();
    await ask(create);

    expect(await ask(remove)).toMatchObject({ Data: { outcome: 'withdrawn' } });

    expect(dcm.registered()).toEqual([]);
  });

  it.each(['refused', 'unreachable'] as const)(
    'can be deleted when the answer of DCM is %s',
    async (outcome) => {
      const { parts, log } = scriptedRegistration({ regions: ['eu-west-1'] });
      const withdraw = async () => ({ outcome, detail: 'it keeps the provider' });
      const ask = handleRequest({ ...parts, registryOf: () => ({ ...parts.registryOf(), withdraw }) });

      expect(await ask(remove)).toMatchObject({ PhysicalResourceId: 'dcm-provider-rows' });

      expect(log.lines).toContain('warn: could not withdraw a provider from DCM');
    },
  );

  it('does not ask an environment agent to remove a provider, because agents cannot (Y 3)', async () => {
    const { ask, dcm, log, outcomeOf } = scriptedRegistration({ regions: ['eu-west-1'], kind: 'agent' });
    await ask(create);

    expect(await ask(remove)).toMatchObject({ Data: { outcome: 'withdrawn' } });

    expect(dcm.registered()).toHaveLength(1);
    expect(await outcomeOf('ec2-sp')).toBeUndefined();
    expect(log.lines).toContain('warn: could not withdraw a provider from DCM');
  });

  it('answers an outcome that fits into an output of a stack', async () => {
    const regions = Array.from({ length: 9 }, (_, n) => `eu-west-${n + 1}`);
    const { ask } = scriptedRegistration({
      regions,
      says: () => ({ outcome: 'refused', detail: 'x'.repeat(300) }),
    });

    expect(JSON.stringify(await ask(create)).length).toBeLessThan(1100);
  });
});
