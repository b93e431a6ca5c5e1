import { describe, expect, it } from 'vitest';
import { LaunchPlan } from '../../../../../shared/service-types/container/launch.ts';
import { placementsOf, planLaunch } from '../../../../../shared/service-types/container/plan/plan-launch.ts';
import type { TaskDefinition } from '../../../../../shared/service-types/container/plan/task-definition.ts';
import { ContainerProvisioning } from '../../../../../shared/service-types/container/provisioning.ts';
import { containerSpecOf } from '../../../../../shared/service-types/container/spec.ts';
import { containerSpec } from '../../../../fixtures/container-spec.ts';
import { tagKeys } from '../../../../fixtures/resource-messages.ts';

const place = { ecsCluster: 'dcm', subnets: ['subnet-a', 'subnet-b'], logGroup: '/dcm/containers' };
const digest = `sha256:${'0a'.repeat(32)}`;
const role = 'arn:aws:iam::123456789012:role/app';

/** Plans with these settings, and the definitions that ECS was asked for. */
const planning = (settings: object = {}, living = 0) => {
  const defined: TaskDefinition[] = [];
  const plan = planLaunch({
    ...{ provider: 'ec2-sp', tagKeys, livingContainers: async () => living },
    provisioning: ContainerProvisioning.parse({
      ...{ regions: { 'us-east-1': place }, executionRoleArn: 'arn:aws:iam::123456789012:role/ecs' },
      ...settings,
    }),
    actions: {
      define: async (_target, definition) => {
        defined.push(definition);
        return `arn:aws:ecs:us-east-1:123456789012:task-definition/${definition.family}:1`;
      },
    },
  });
  const planned = (
    changes: Readonly<Record<string, unknown>> = {},
    { dcmId = 'web-1', region = 'us-east-1' } = {},
  ) => plan(containerSpecOf(containerSpec(changes)), { dcmId, region, requestId: 'request-1' });
  return { planned, defined };
};

describe('the plan of a container', () => {
  it('has everything that RunTask needs, but no environment variables, which may be secrets', async () => {
    const { planned, defined } = planning({ publicAddresses: true });
    const network = {
      ports: [
        { container_port: 80, visibility: 'external' },
        { container_port: 81, visibility: 'none' },
      ],
    };
    const process = { env: [{ name: 'PASSWORD', value: 'hush' }] };

    const plan = await planned({ network, process });

    expect(LaunchPlan.parse(plan)).toEqual(plan);
    expect(plan).toMatchObject({
      ...{ region: 'us-east-1', dcmId: 'web-1', ecsCluster: 'dcm', publicAddress: true },
      ports: [{ port: 80, scope: 'external' }],
      size: { vcpus: 1, memoryMib: 2048 },
      tags: {
        Name: 'web',
        'managed-by': 'dcm',
        'dcm-service-type': 'container',
        'dcm-request-id': 'request-1',
      },
    });
    expect(JSON.stringify(plan)).not.toContain('hush');
    expect(defined[0]?.container).toMatchObject({
      ...{ cpuUnits: 1024, memoryMib: 256, memoryReservationMib: 128, ports: [80, 81] },
      ...{ environment: process.env, stopTimeoutSeconds: 10, restartAfterSeconds: undefined },
    });
  });

  it('has the same task definition for equal specs, whatever their id and name, and another for any difference', async () => {
    const { planned, defined } = planning({ taskRoles: [role], spot: true });
    await planned();
    await planned({ metadata: { name: 'other' } }, { dcmId: 'web-2' });
    const different = [
      { process: { command: ['x'] } },
      { process: { args: ['x'] } },
      { process: { env: [{ name: 'A', value: '1' }] } },
      { image: { reference: 'nginx:1' } },
      { network: { ports: [{ container_port: 80, visibility: 'none' }] } },
      { resources: { cpu: { min: 1, max: 2 }, memory: { min: '1GB', max: '8GB' } } },
      ...[
        { cpu_architecture: 'arm64' },
        { restart: 'in-place' },
        { ephemeral_storage: 30 },
        { task_role: role },
        { stop_timeout: 60 },
      ].map((aws) => ({ provider_hints: { aws } })),
    ];
    for (const changes of different) await planned(changes);

    const families = defined.map(({ family }) => family);
    expect(families[0]).toBe(families[1]);
    expect(new Set(families.slice(1)).size).toBe(different.length + 1);
    for (const family of families) expect(family).toMatch(/^dcm-ec2-sp-[0-9a-f-]{36}$/);
  });

  it.each([
    ['region', {}, {}, 'eu-west-1'],
    [
      'resources.cpu.max',
      { maximumVcpus: 1 },
      { resources: { cpu: { min: 1, max: 2 }, memory: { min: '1GB', max: '1GB' } } },
    ],
    [
      'resources.memory.max',
      { maximumMemoryGib: 2 },
      { resources: { cpu: { min: 1, max: 1 }, memory: { min: '1GB', max: '3GB' } } },
    ],
    ['resources', {}, { resources: { cpu: { min: 1, max: 32 }, memory: { min: '1GB', max: '3GB' } } }],
    [
      'network.ports[0].visibility',
      {},
      { network: { ports: [{ container_port: 80, visibility: 'external' }] } },
    ],
    ['provider_hints.aws.task_role', {}, { provider_hints: { aws: { task_role: role } } }],
    ['provider_hints.aws.launch', {}, { provider_hints: { aws: { launch: 'fargate_spot' } } }],
    ['provider_hints.aws.ephemeral_storage', {}, { provider_hints: { aws: { ephemeral_storage: 100 } } }],
    ['process', {}, { process: { env: [{ name: 'A', value: 'x'.repeat(70_000) }] } }],
    ['image.reference', {}, { image: { reference: 'quay.io/App/web:v1' } }],
    ['image.reference', {}, { image: { reference: 'MyTeam/web' } }],
    ['image.reference', {}, { image: { reference: `Web@${digest}` } }],
  ])(
    'is refused before any call of ECS, naming %s',
    async (field, settings, changes, region = 'us-east-1') => {
      const { planned, defined } = planning(settings);

      await expect(planned(changes, { region })).rejects.toMatchObject({
        code: 'unprocessable',
        message: expect.stringContaining(`${field}: `),
      });
      expect(defined).toEqual([]);
    },
  );

  it.each(['nginx:Alpine', 'Quay.IO/app/web:V1', 'localhost:5000/web:RC-1', `web:V1@${digest}`])(
    'has an image with capitals in its registry or tag: %s',
    async (reference) => {
      const { planned, defined } = planning();

      await planned({ image: { reference } });

      expect(defined).toMatchObject([{ container: { image: reference } }]);
    },
  );

  it.each([
    'nginx',
    'library/nginx:1.29',
    'docker.io/library/nginx:alpine',
    'localhost/web',
    'registry.example.com:5000/team/web-app/a__b.c',
    `nginx@${digest}`,
    `quay.io/app/web:v1@sha512:${'0a'.repeat(64)}`,
    `nginx@md5:${'0A'.repeat(16)}`,
    `nginx:${'x'.repeat(128)}`,
  ])('has an image that is a reference: %s', async (reference) => {
    const { planned, defined } = planning();

    await planned({ image: { reference } });

    expect(defined).toMatchObject([{ container: { image: reference } }]);
  });

  it.each([
    ['no name', '::::'],
    ['no name', '/'],
    ['no name', ':v1'],
    ['no name', `@${digest}`],
    ['an empty tag', 'nginx:'],
    ['an empty tag', 'localhost:5000/web:'],
    ['two tags', 'nginx:1:2'],
    ['a tag that is too long', `nginx:${'x'.repeat(129)}`],
    ['a tag that begins with a hyphen', 'nginx:-1'],
    ['a scheme', 'https://docker.io/nginx'],
    ['a scheme', 'docker://nginx'],
    ['an empty part of the path', 'docker.io//nginx'],
    ['an empty part of the path', 'docker.io/nginx/'],
    ['an empty part of the path', '/nginx'],
    ['separators that do not separate', 'team/web_'],
    ['separators that do not separate', 'team/a..b'],
    ['separators that do not separate', '.team/web'],
    ['a port that is no number', 'localhost:http/web'],
    ['a character of no reference', 'nginx#1'],
    ['an empty digest', 'nginx@'],
    ['a digest without a value', 'nginx@sha256'],
    ['a short digest', 'nginx@sha256:12'],
    ['a digest that is too short for its algorithm', `nginx@sha256:${'a'.repeat(63)}`],
    ['a digest that is too long for its algorithm', `nginx@sha256:${'a'.repeat(65)}`],
    ['a digest that is too short for its algorithm', `nginx@sha512:${'a'.repeat(64)}`],
    ['a digest with capitals', `nginx@sha256:${'A'.repeat(64)}`],
    ['a digest that is not hexadecimal', `nginx@sha256:${'g'.repeat(64)}`],
    ['two digests', `nginx@${digest}@${digest}`],
    ['the id of an image', 'a'.repeat(64)],
  ])('is refused before any call of ECS where the image has %s: %s', async (_, reference) => {
    const { planned, defined } = planning();

    await expect(planned({ image: { reference } })).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringMatching(/^image\.reference: expected .*\[:tag\]\[@digest\]/),
    });
    expect(defined).toEqual([]);
  });

  it('is refused where there are as many containers as the operator allows', async () => {
    const { planned, defined } = planning({ maximumContainers: 3 }, 3);

    await expect(planned()).rejects.toThrow('there are 3 containers, and this provider allows 3');
    expect(defined).toEqual([]);
  });
});

describe('the placements of a container', () => {
  it.each([
    ['fargate', ['a'], [['fargate', ['a']]]],
    [
      'fargate',
      ['a', 'b', 'c'],
      [
        ['fargate', ['a', 'b', 'c']],
        ['fargate', ['a']],
        ['fargate', ['b']],
      ],
    ],
    [
      'fargate_spot',
      ['a'],
      [
        ['fargate_spot', ['a']],
        ['fargate', ['a']],
      ],
    ],
    [
      'fargate_spot',
      ['a', 'b'],
      [
        ['fargate_spot', ['a', 'b']],
        ['fargate', ['a', 'b']],
        ['fargate', ['a']],
      ],
    ],
  ] as const)('on %s in %j are at most three, the best first', (launch, subnets, expected) => {
    expect(placementsOf(launch, subnets).map((one) => [one.launch, one.subnets])).toEqual(expected);
  });
});
