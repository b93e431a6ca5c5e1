import { describe, expect, it } from 'vitest';
import { handleRequest } from '../../../functions/registration/handle-request.ts';
import { UnavailableError, UnreadableError } from '../../../shared/core/errors.ts';
import { scriptedRegistration } from './scripted-registration.ts';

const keep = { do: 'keep-registered' };
const refused = { outcome: 'refused', detail: 'HTTP 422: invalid endpoint' } as const;
const conflict = {
  outcome: 'refused',
  detail: "HTTP 409: service type 'vm' is already served by provider 'vm'",
  isConflict: true,
} as const;
const unreachable = { outcome: 'unreachable', detail: 'ECONNREFUSED', retryAfterSeconds: undefined } as const;
const eightHours = 8 * 3600;

describe('registration by the schedule', () => {
  it('registers a provider for every region, and records the result', async () => {
    const { ask, dcm, outcomeOf, now } = scriptedRegistration();

    await ask(keep);

    expect(dcm.registered().map(({ name }) => name)).toEqual(['ec2-sp', 'ec2-sp-us-east-1']);
    expect(await outcomeOf('ec2-sp')).toMatchObject({
      outcome: 'registered',
      at: now(),
      rowCreatedAt: now(),
    });
  });

  it('registers again at every run, and logs only the first', async () => {
    const { ask, pass, attempts, log } = scriptedRegistration({ regions: ['eu-west-1'] });
    await ask(keep);
    const logged = log.lines.length;

    for (let minute = 0; minute < 5; minute++) {
      pass(60);
      await ask(keep);
    }

    expect(attempts).toHaveLength(6);
    expect(log.lines).toHaveLength(logged);
  });

  it('answers the result of each provider', async () => {
    const { ask } = scriptedRegistration({ says: (name) => (name === 'ec2-sp' ? refused : undefined) });

    expect(await ask(keep)).toEqual({
      rows: {
        'ec2-sp': expect.objectContaining(refused),
        'ec2-sp-us-east-1': expect.objectContaining({ outcome: 'registered' }),
      },
    });
  });

  it('puts the newest token of the secret into the endpoint, where a secret is configured', async () => {
    const secret = '{"token":"new","previous":"old"}';
    const { ask, dcm } = scriptedRegistration({ regions: ['eu-west-1'], secret });

    await ask(keep);

    expect(dcm.registered().map(({ endpoint }) => endpoint)).toEqual([
      'https://dcm:new@api.test/api/v1alpha1/vms',
    ]);
  });
});

describe('registration in several accounts', () => {
  const registry = { kind: 'control-plane', url: 'https://dcm.test', endpointCredentials: true } as const;
  const registries = {
    'eu-west-1': registry,
    '222222222222/eu-west-1': { ...registry, alias: 'prod', endpointTokenSecret: 'dcm/prod' },
  };
  const asked = (secret: (id?: string) => Promise<string>) => {
    const { parts, dcm, log } = scriptedRegistration();
    const ask = handleRequest({ ...parts, secret, settings: { ...parts.settings, registries } });
    return { ask, dcm, log };
  };
  const endpointsOf = ({ dcm }: ReturnType<typeof asked>) => dcm.registered().map(({ endpoint }) => endpoint);

  it("puts into each account's endpoints the token of that account", async () => {
    const registration = asked(async (id = 'dcm/home') => `token-of-${id.slice(4)}`);

    await registration.ask(keep);

    expect(endpointsOf(registration)).toEqual([
      'https://dcm:token-of-home@api.test/api/v1alpha1/vms',
      'https://dcm:token-of-prod@api.test/prod/eu-west-1/api/v1alpha1/vms',
    ]);
  });

  it('registers the other accounts where the secret of one cannot be read, and says so', async () => {
    const registration = asked(async (id) => {
      if (id === 'dcm/prod') throw new UnavailableError('the secret dcm/prod cannot be read');
      return 'token';
    });

    await registration.ask(keep);

    expect(endpointsOf(registration)).toEqual(['https://dcm:token@api.test/api/v1alpha1/vms']);
    expect(registration.log.lines.join()).toContain(
      'the providers whose endpoints carry a token are not registered',
    );
  });
});

describe('a refusal', () => {
  it('is logged as an error, counted, and recorded with its reason for the health check (C 49, C 55)', async () => {
    const { ask, log, meter, outcomeOf, now } = scriptedRegistration({
      regions: ['eu-west-1'],
      says: () => refused,
    });

    await ask(keep);

    expect(log.lines).toEqual(['error: DCM refuses to register the provider']);
    expect(meter.counts.registrationRefused).toBe(1);
    expect(await outcomeOf('ec2-sp')).toMatchObject({ ...refused, at: now(), nextAttemptAt: now() + 600 });
  });

  it('is not tried again for ten minutes, but counted every minute', async () => {
    const { ask, pass, attempts, meter } = scriptedRegistration({
      regions: ['eu-west-1'],
      says: () => refused,
    });
    await ask(keep);

    for (let minute = 0; minute < 9; minute++) {
      pass(60);
      await ask(keep);
    }
    expect(attempts).toHaveLength(1);
    expect(meter.counts.registrationRefused).toBe(10);

    pass(60);
    await ask(keep);
    expect(attempts).toHaveLength(2);
  });

  it('is tried again at once on request', async () => {
    let answer: typeof refused | undefined = refused;
    const { ask, outcomeOf } = scriptedRegistration({ regions: ['eu-west-1'], says: () => answer });
    await ask(keep);
    answer = undefined;

    await ask({ do: 'register' });

    expect(await outcomeOf('ec2-sp')).toMatchObject({ outcome: 'registered' });
  });

  it('of one provider does not stop the others', async () => {
    const { ask, dcm } = scriptedRegistration({ says: (name) => (name === 'ec2-sp' ? refused : undefined) });

    await ask(keep);

    expect(dcm.registered().map(({ name }) => name)).toEqual(['ec2-sp-us-east-1']);
  });
});

describe('a service type that another provider has', () => {
  it('is tried again every minute, counted each time and logged once (Y 3)', async () => {
    const { ask, pass, attempts, log, meter } = scriptedRegistration({
      ...{ regions: ['eu-west-1'], kind: 'agent' },
      says: () => conflict,
    });

    for (let minute = 0; minute < 3; minute++) {
      await ask(keep);
      pass(60);
    }

    expect(attempts).toHaveLength(3);
    expect(meter.counts.registrationRefused).toBe(3);
    expect(log.lines).toEqual(['error: DCM refuses to register the provider']);
  });

  it('is registered within a minute after the other provider gave it up (Y 3)', async () => {
    let answer: typeof conflict | undefined = conflict;
    const { ask, pass, outcomeOf } = scriptedRegistration({ kind: 'agent', says: () => answer });
    await ask(keep);
    answer = undefined;
    pass(60);

    await ask(keep);

    expect(await outcomeOf('ec2-sp')).toMatchObject({ outcome: 'registered' });
  });
});

describe('several providers', () => {
  it('are registered one after the other, the home region first (Y 3)', async () => {
    const regions = ['us-east-1', 'ap-south-1', 'eu-west-1'];
    const { ask, attempts } = scriptedRegistration({ kind: 'agent', regions });

    await ask(keep);

    expect(attempts).toEqual(['ec2-sp', 'ec2-sp-us-east-1', 'ec2-sp-ap-south-1']);
  });

  it('are not delayed for long by registries that do not answer: after 30 seconds the next run continues (Y 3)', async () => {
    const regions = ['eu-west-1', 'us-east-1', 'ap-south-1', 'sa-east-1'];
    const slow = (name: string) => {
      if (name === 'ec2-sp-sa-east-1') return undefined;
      scripted.pass(28);
      return unreachable;
    };
    const scripted = scriptedRegistration({ kind: 'agent', regions, says: slow });

    const answer = await scripted.ask(keep);
    expect(scripted.attempts).toEqual(['ec2-sp', 'ec2-sp-us-east-1']);
    expect(answer).toMatchObject({
      rows: { 'ec2-sp-sa-east-1': { detail: expect.stringMatching(/^not tried yet/) } },
    });

    await scripted.ask(keep);
    expect(scripted.attempts.slice(2)).toEqual(['ec2-sp', 'ec2-sp-ap-south-1']);

    await scripted.ask(keep);
    expect(scripted.dcm.registered().map(({ name }) => name)).toEqual(['ec2-sp-sa-east-1']);
  });
});

describe('a DCM that cannot be reached', () => {
  it('is tried again every minute, with a warning', async () => {
    const { ask, pass, attempts, log, meter } = scriptedRegistration({
      regions: ['eu-west-1'],
      says: () => unreachable,
    });

    await ask(keep);
    pass(60);
    await ask(keep);

    expect(attempts).toHaveLength(2);
    expect(log.lines[0]).toBe('warn: DCM cannot be reached to register the provider');
    expect(meter.counts.registrationUnreachable).toBe(2);
  });

  it.each([
    [300, 300],
    [86_400, 3600],
  ])('that asks for a pause of %i seconds is not called for %i seconds', async (retryAfterSeconds, pause) => {
    const { ask, outcomeOf, now } = scriptedRegistration({
      regions: ['eu-west-1'],
      says: () => ({ ...unreachable, retryAfterSeconds }),
    });

    await ask(keep);

    expect(await outcomeOf('ec2-sp')).toMatchObject({ nextAttemptAt: now() + pause });
  });
});

describe('a DCM that lost statuses', () => {
  it('gets every status republished after the first registration, region by region', async () => {
    const { ask, republished, now } = scriptedRegistration();

    await ask(keep);

    expect(republished).toEqual([
      ['eu-west-1', now()],
      ['us-east-1', now()],
    ]);
  });

  it('gets nothing republished while its rows are as they were', async () => {
    const { ask, pass, republished } = scriptedRegistration();
    await ask(keep);
    republished.length = 0;

    for (const _ of [1, 2, 3]) {
      pass(60);
      await ask(keep);
    }

    expect(republished).toEqual([]);
  });

  it("gets every status republished after a restore from last night's backup, although its health checks write the row", async () => {
    const { ask, pass, dcm, republished, now } = scriptedRegistration({ regions: ['eu-west-1'] });
    await ask(keep);
    const restore = dcm.backup();
    pass(eightHours);
    await ask(keep);
    republished.length = 0;
    restore();
    pass(60);

    await ask(keep);
    pass(60);
    await ask(keep);

    expect(republished).toEqual([['eu-west-1', now() - 60]]);
  });

  it('gets every status republished after it lost its registry, also with an outage in between', async () => {
    let answer: typeof unreachable | undefined;
    const { ask, pass, dcm, republished } = scriptedRegistration({
      regions: ['eu-west-1'],
      says: () => answer,
    });
    const empty = dcm.backup();
    await ask(keep);
    republished.length = 0;
    answer = unreachable;
    pass(60);
    await ask(keep);
    empty();
    answer = undefined;
    pass(60);

    await ask(keep);

    expect(republished).toHaveLength(1);
  });

  it('gets every status republished every six hours behind an environment agent, which does not show a loss (Y 3)', async () => {
    const { ask, pass, republished } = scriptedRegistration({ regions: ['eu-west-1'], kind: 'agent' });
    await ask(keep);
    republished.length = 0;

    for (let minute = 0; minute < 12 * 60; minute++) {
      pass(60);
      await ask(keep);
    }

    expect(republished).toHaveLength(2);
  });

  it('gets every status republished also when the first request for it failed after DCM had created its row', async () => {
    const scripted = scriptedRegistration({ regions: ['eu-west-1'] });
    const { ask, pass, dcm, parts, republished } = scripted;
    const empty = dcm.backup();
    await ask(keep);
    republished.length = 0;
    empty();
    pass(60);
    const failing = handleRequest({
      ...parts,
      listings: {
        requestRepublication: () => Promise.reject(new UnavailableError('the table did not answer')),
      },
    });
    await expect(failing(keep)).rejects.toThrow(UnavailableError);
    pass(60);

    await ask(keep);

    expect(republished).toHaveLength(1);
  });
});

describe('a resource store that fails for one provider', () => {
  it('fails the invocation after all providers were tried', async () => {
    const { parts, dcm } = scriptedRegistration();
    const ask = handleRequest({
      ...parts,
      registrations: {
        ...parts.registrations,
        record: async (name, registration) => {
          if (name === 'ec2-sp') throw new UnavailableError('the table did not answer');
          await parts.registrations.record(name, registration);
        },
      },
    });

    await expect(ask(keep)).rejects.toThrow('the table did not answer');

    expect(dcm.registered()).toHaveLength(2);
    expect((await parts.registrations.read(['ec2-sp-us-east-1'])).size).toBe(1);
  });
});

describe('a request to the registration', () => {
  it.each([undefined, {}, { do: 'dance' }, { RequestType: 'Create' }])(
    'is refused if it is %j',
    async (request) => {
      const { ask } = scriptedRegistration();

      await expect(ask(request)).rejects.toThrow(UnreadableError);
    },
  );

  it('can list the providers that DCM has, without the credentials in their endpoints and without registering anything (Y 9)', async () => {
    const scripted = scriptedRegistration({ regions: ['eu-west-1'], kind: 'agent', secret: 's3cret' });
    await scripted.ask(keep);

    const answer = await scripted.ask({ do: 'inspect' });

    expect(answer).toEqual({
      regions: [
        {
          ...{
            region: 'eu-west-1',
            serviceType: 'vm',
            row: 'ec2-sp',
            kind: 'agent',
            url: 'https://dcm.test',
          },
          endpoint: 'https://api.test/api/v1alpha1/vms',
          providers: [expect.objectContaining({ endpoint: 'https://api.test/api/v1alpha1/vms' })],
        },
      ],
    });
    expect(scripted.attempts).toHaveLength(1);
  });

  it('can withdraw all providers', async () => {
    const { ask, dcm, outcomeOf } = scriptedRegistration();
    await ask(keep);

    await ask({ do: 'withdraw' });

    expect(dcm.registered()).toEqual([]);
    expect(await outcomeOf('ec2-sp')).toBeUndefined();
  });
});
