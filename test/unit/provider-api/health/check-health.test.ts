import { describe, expect, it } from 'vitest';
import { type CheckedService, checkHealth } from '../../../../functions/provider-api/health/check-health.ts';
import { NotFoundError, UnavailableError } from '../../../../shared/core/errors.ts';
import type { Registration } from '../../../../shared/ports/registrations.ts';
import { Health } from '../../../../shared/wire/health.ts';
import { keepingLog } from '../http/keeping-log.ts';

type Parts = Parameters<typeof checkHealth>[0] & { readonly ec2: CheckedService['probe'] };

const never = () => new Promise<never>(() => undefined);
const down = async () => Promise.reject(new UnavailableError('it does not answer'));
const broken = async () => Promise.reject(new TypeError('10.0.0.7 is undefined'));

const targets = [{ region: 'us-east-1' }, { region: 'eu-west-1' }];

/** A healthy provider of two regions with these changes, which first answered 1,000 s ago. */
const provider = (changes: Partial<Parts> = {}) => {
  const asked: string[] = [];
  const { log, lines } = keepingLog();
  const clock = { nowMs: 2_000_000 };
  const counted =
    <Input extends unknown[], Answer>(name: string, answer: (...input: Input) => Promise<Answer>) =>
    (...input: Input) => {
      asked.push(name);
      return answer(...input);
    };
  const parts = {
    ec2: async () => undefined,
    backlog: async () => 0,
    nats: async () => ({ connected: true as const }),
    registrations: { read: async () => new Map<string, Registration>() },
    firstAnswer: async () => 1_000,
    providerNameOf: ({ region }: { readonly region: string }) => `ec2-sp-${region}`,
    services: undefined,
    ...changes,
  };
  const check = checkHealth({
    services: parts.services ?? [
      { serviceType: 'vm', service: 'EC2', targets, probe: counted('ec2', parts.ec2) },
    ],
    backlog: counted('queue', parts.backlog),
    nats: counted('nats', parts.nats),
    registrations: { read: counted('resource store', parts.registrations.read) },
    firstAnswer: parts.firstAnswer,
    providerNameOf: parts.providerNameOf,
    version: '1.2.3',
    now: () => clock.nowMs,
    log,
    timeoutMs: 50,
  });
  return { check, asked, lines, clock };
};

const registered = (outcome: Registration['outcome'], detail: string): Parts['registrations'] => ({
  read: async (names) => new Map(names.map((name) => [name, { outcome, detail, at: 1, providerId: name }])),
});

describe('a provider without faults', () => {
  it('is healthy, in exactly the words that DCM reads (C 17, C2 9)', async () => {
    const health = await provider().check({ region: 'us-east-1' });

    expect(Health.parse(health)).toEqual({
      status: 'healthy',
      version: '1.2.3',
      uptime: 1_000,
      type: 'ec2-sp.dcm.io/health',
      path: 'health',
    });
  });

  it('is checked by one question to each service, all at once (C 65)', async () => {
    const { check, asked } = provider();

    const answer = check({ region: 'us-east-1' });

    expect([...asked].sort()).toEqual(['ec2', 'nats', 'queue', 'resource store']);
    await answer;
  });
});

describe('a provider with a fault', () => {
  it.each<[string, Partial<Parts>, string]>([
    ['EC2 does not answer', { ec2: down }, 'it does not answer'],
    ['EC2 takes too long', { ec2: never }, 'EC2 in us-east-1 does not answer within 50 ms'],
    [
      'the resource store takes too long',
      { registrations: { read: never } },
      'the resource store does not answer within 50 ms',
    ],
    ['the queue cannot be checked', { backlog: broken }, 'the observations queue cannot be checked'],
    [
      'the normaliser has stopped (C2 15)',
      { backlog: async () => 301.9 },
      'a message waits in the observations queue for 301 s',
    ],
    [
      'NATS cannot be reached',
      { nats: async () => ({ connected: false, reason: 'no route to 10.0.0.7' }) },
      'NATS does not take statuses',
    ],
    [
      'requests to environment agents cannot be read, so that their creates fail',
      { nats: async () => ({ connected: true, unreadableRequests: 'no permission at 10.0.0.7' }) },
      'the requests to environment agents cannot be read from NATS',
    ],
    ['NATS takes too long', { nats: never }, 'NATS does not answer within 50 ms'],
    [
      'two services have a fault',
      { ec2: down, backlog: async () => 400 },
      'it does not answer; a message waits in the observations queue for 400 s',
    ],
  ])('is unhealthy, with the fault in the detail: %s', async (_, changes, detail) => {
    const { check, lines } = provider(changes);

    const health = await check({ region: 'us-east-1' });

    expect(health).toMatchObject({ status: 'unhealthy', detail });
    expect(JSON.stringify(health)).not.toContain('10.0.0.7');
    expect(lines).toContainEqual({
      level: 'warn',
      message: 'the provider is not healthy',
      fields: { region: 'us-east-1', faults: detail.split('; ') },
    });
  });

  it('is healthy while messages wait for up to five minutes', async () => {
    expect(await provider({ backlog: async () => 300.9 }).check({ region: 'us-east-1' })).toMatchObject({
      status: 'healthy',
    });
  });

  it('logs the details that must not be public', async () => {
    const nats = async () => ({ connected: false as const, reason: 'no route to 10.0.0.7' });
    const { check, lines } = provider({ nats });

    await check({ region: 'us-east-1' });

    expect(lines).toContainEqual({
      level: 'warn',
      message: 'NATS does not take statuses',
      fields: { reason: 'no route to 10.0.0.7' },
    });
  });

  it('answers NotFoundError at once for a region in which no VMs are created, without any check (X 3)', async () => {
    const { check, asked } = provider();

    await expect(check({ region: 'ap-south-1' })).rejects.toThrow(
      new NotFoundError('no VMs are created in ap-south-1'),
    );
    expect(asked).toEqual([]);
  });
});

describe('the registration', () => {
  it.each<[Registration['outcome'], string | undefined]>([
    ['registered', undefined],
    ['unreachable', undefined],
    ['refused', 'DCM refuses the registration: 409 the name is taken'],
  ])(
    'that is %s is in the detail at most, and does not make the provider unhealthy (C 51)',
    async (outcome, detail) => {
      const registrations = registered(outcome, '409 the name is taken');

      const health = await provider({ registrations }).check({ region: 'eu-west-1' });

      expect([health.status, health.detail]).toEqual(['healthy', detail]);
    },
  );

  it("is that of the region's own provider", async () => {
    const asked: (readonly string[])[] = [];
    const read = async (names: readonly string[]) => {
      asked.push(names);
      return new Map<string, Registration>();
    };

    await provider({ registrations: { read } }).check({ region: 'eu-west-1' });

    expect(asked).toEqual([['ec2-sp-eu-west-1']]);
  });
});

describe('uptime (C 58)', () => {
  it('counts from the first answer of the version, in whole seconds, and never decreases', async () => {
    const { check, clock } = provider();

    const first = await check({ region: 'us-east-1' });
    clock.nowMs += 12_345;
    const second = await check({ region: 'us-east-1' });

    expect([first.uptime, second.uptime]).toEqual([1_000, 1_012]);
  });

  it('counts from the start of the process when the first answer is unknown, and is never negative', async () => {
    const lost = provider({ firstAnswer: down });
    const early = provider({ firstAnswer: async () => 9_999 });
    lost.clock.nowMs += 3_000;

    expect((await lost.check({ region: 'us-east-1' })).uptime).toBe(3);
    expect((await early.check({ region: 'us-east-1' })).uptime).toBe(0);
  });
});

describe('a repeated health check (C 53)', () => {
  it('within five seconds of a healthy answer gets the same answer, without another check', async () => {
    const { check, asked, clock } = provider();

    await check({ region: 'us-east-1' });
    clock.nowMs += 5_000;
    await check({ region: 'us-east-1' });
    expect(asked).toHaveLength(4);

    clock.nowMs += 1;
    await check({ region: 'us-east-1' });
    expect(asked).toHaveLength(8);
  });

  it('finds a recovery at once', async () => {
    const answers = [down, async () => undefined];
    const { check } = provider({ ec2: () => answers.shift()?.() ?? never() });

    expect([
      (await check({ region: 'us-east-1' })).status,
      (await check({ region: 'us-east-1' })).status,
    ]).toEqual(['unhealthy', 'healthy']);
  });

  it('finds an outage once the healthy answer is older than five seconds', async () => {
    const answers = [async () => undefined, down];
    const { check, clock } = provider({ ec2: () => answers.shift()?.() ?? never() });

    await check({ region: 'us-east-1' });
    clock.nowMs += 5_001;

    expect((await check({ region: 'us-east-1' })).status).toBe('unhealthy');
  });

  it('shares the answer with others at the same time', async () => {
    const { check, asked } = provider();

    const answers = await Promise.all(Array.from({ length: 50 }, () => check({ region: 'us-east-1' })));

    expect([new Set(answers).size, asked.length]).toEqual([1, 4]);
  });

  it('of another region asks its own EC2 and registration, and what all regions share once', async () => {
    const { check, asked } = provider();

    await Promise.all([check({ region: 'us-east-1' }), check({ region: 'eu-west-1' })]);

    expect([...asked].sort()).toEqual(['ec2', 'ec2', 'nats', 'queue', 'resource store', 'resource store']);
  });
});

describe('a provider of several service types', () => {
  const region = 'us-east-1';
  const healthy = async () => undefined;
  const services = (changes: Partial<Record<'ec2' | 'ecs' | 'eks', CheckedService['probe']>> = {}) => {
    const { ec2 = healthy, ecs = healthy, eks = healthy } = changes;
    return [
      { serviceType: 'vm', service: 'EC2', targets, probe: ec2 },
      { serviceType: 'container', service: 'ECS', targets: [{ region }], probe: ecs },
      { serviceType: 'cluster', service: 'EKS', targets: [{ region }], probe: eks },
    ] as const;
  };

  it('is unhealthy for the type whose service is broken, and for no other', async () => {
    const { check } = provider({ services: services({ ecs: down }) });

    expect(await check({ region, serviceType: 'container' })).toMatchObject({
      ...{ status: 'unhealthy', type: 'ec2-sp.dcm.io/container-health', detail: 'it does not answer' },
    });
    for (const serviceType of ['vm', 'cluster'] as const)
      expect(await check({ region, serviceType })).toMatchObject({ status: 'healthy' });
  });

  it('is unhealthy for every type while NATS does not take statuses', async () => {
    const { check } = provider({
      ...{ services: services(), nats: async () => ({ connected: false, reason: 'away' }) },
    });

    for (const serviceType of ['vm', 'container', 'cluster', undefined] as const)
      expect(await check({ region, serviceType })).toMatchObject({ status: 'unhealthy' });
  });

  it('is healthy as a whole, with the fault in the detail, while one type is', async () => {
    const oneLeft = provider({ services: services({ ec2: down, ecs: down }) });
    const noneLeft = provider({ services: services({ ec2: down, ecs: down, eks: down }) });

    expect(await oneLeft.check({ region })).toMatchObject({
      ...{ status: 'healthy', detail: 'it does not answer; it does not answer' },
    });
    expect(await noneLeft.check({ region })).toMatchObject({ status: 'unhealthy' });
  });

  it('names the registration of the type alone', async () => {
    const registrations: Parts['registrations'] = {
      read: async (names) =>
        new Map(
          names
            .filter((name) => name.includes('cluster'))
            .map((name) => [name, { outcome: 'refused', detail: 'taken', at: 1, providerId: name }]),
        ),
    };
    const { check } = provider({
      ...{ services: services(), registrations },
      providerNameOf: (_, serviceType) => serviceType,
    });

    expect((await check({ region, serviceType: 'cluster' })).detail).toBe(
      'DCM refuses the registration: taken',
    );
    expect((await check({ region, serviceType: 'vm' })).detail).toBeUndefined();
  });

  it('answers NotFoundError for a type that is not created in the region', async () => {
    const { check } = provider({ services: services() });

    await expect(check({ region: 'eu-west-1', serviceType: 'container' })).rejects.toThrow(
      new NotFoundError('no containers are created in eu-west-1'),
    );
    await expect(check({ region: 'ap-south-1' })).rejects.toThrow(
      new NotFoundError('no VMs or containers or clusters are created in ap-south-1'),
    );
  });
});

/** How DCM's two pollers read an answer. @see contract: the control plane's monitor.go, the environment agent's checker.go */
const controlPlane = (status: number, body: { readonly status: string }) =>
  status >= 200 && status < 300 && body.status === 'healthy'
    ? 'ready'
    : body.status === 'unhealthy'
      ? 'unhealthy'
      : 'failed';
const environmentAgent = (status: number, body: { readonly status: string }) =>
  status === 200 && ['healthy', 'unhealthy'].includes(body.status.toLowerCase())
    ? body.status.toLowerCase()
    : 'failed';

describe("DCM's pollers", () => {
  it.each([
    [{}, 'ready', 'healthy'],
    [{ ec2: down }, 'unhealthy', 'unhealthy'],
  ])('understand the answer (C2 9, C2 10)', async (changes, atControlPlane, atAgent) => {
    const health = await provider(changes).check({ region: 'us-east-1' });

    expect([controlPlane(200, health), environmentAgent(200, health)]).toEqual([atControlPlane, atAgent]);
  });
});
