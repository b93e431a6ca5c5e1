import { describe, expect, it } from 'vitest';
import { containerSpecOf } from '../../../../shared/service-types/container/spec.ts';
import '../../../../shared/runtime/schema-messages.ts';
import { containerSpec } from '../../../fixtures/container-spec.ts';

const whole = containerSpec({
  metadata: { name: 'web', labels: { team: 'a', empty: '' } },
  process: {
    command: ['nginx'],
    args: ['-g', 'daemon off;', ''],
    env: [
      { name: 'A', value: 'b' },
      { name: 'E', value: '' },
    ],
  },
  network: {
    ports: [
      { container_port: 80, visibility: 'internal' },
      { container_port: 81, visibility: 'none' },
    ],
  },
  provider_hints: { aws: { stopTimeout: 5, launch: 'fargate_spot' } },
});

const read = {
  image: 'nginx:alpine',
  cpu: { min: 1000, max: 1000 },
  memoryMib: { min: 128, max: 256 },
  command: ['nginx'],
  args: ['-g', 'daemon off;', ''],
  env: [
    { name: 'A', value: 'b' },
    { name: 'E', value: '' },
  ],
  ports: [
    { port: 80, visibility: 'internal' },
    { port: 81, visibility: 'none' },
  ],
  name: 'web',
  labels: { team: 'a', empty: '' },
  hints: { stop_timeout: 5, launch: 'fargate_spot' },
};

const withResources = (resources: unknown) => containerSpec({ resources });
const memory = { min: '128MB', max: '256MB' };

describe('a container’s spec', () => {
  it.each([
    ['bare, as the environment agent sends it', whole],
    ['in a field spec, as the older control plane does', { spec: whole }],
  ])('is read %s', (_, body) => {
    expect(containerSpecOf(body)).toEqual(read);
  });

  it.each([
    [
      { min: 1, max: 2 },
      { min: 1000, max: 2000 },
    ],
    [
      { min: '500m', max: '2' },
      { min: 500, max: 2000 },
    ],
    [
      { min: 0, max: '1500m' },
      { min: 1500, max: 1500 },
    ],
    [
      { min: '2', max: '' },
      { min: 2000, max: 2000 },
    ],
  ])('has the CPU of both of DCM’s schemas: %j', (cpu, expected) => {
    expect(containerSpecOf(withResources({ cpu, memory })).cpu).toEqual(expected);
  });

  it('has memory in powers of two, and at least the 6 MiB of Docker', () => {
    const cpu = { min: 1, max: 1 };
    expect(containerSpecOf(withResources({ cpu, memory: { min: '1MB', max: '2GB' } })).memoryMib).toEqual({
      min: 6,
      max: 2048,
    });
  });

  it('takes zero values for absent ones, as DCM’s catalog sends them', () => {
    const spec = {
      ...containerSpec(),
      process: {},
      network: {},
      metadata: { name: '', labels: {} },
      provider_hints: {},
    };
    expect(containerSpecOf(spec)).toMatchObject({
      command: [],
      args: [],
      env: [],
      ports: [],
      name: undefined,
    });
  });

  it.each([
    ['image', { image: {} }],
    ['resources', { resources: {} }],
    ['resources.cpu', { resources: { cpu: { min: 0, max: 0 }, memory } }],
    ['resources.memory', { resources: { cpu: { min: 1, max: 1 }, memory: { min: '', max: '' } } }],
  ])('needs %s, also where DCM’s catalog sends its zero value', (path, changes) => {
    expect(() => containerSpecOf(containerSpec(changes))).toThrow(new RegExp(`(^|; )${path}: expected`));
  });

  it.each([
    ['service_type', { service_type: 12_345 }],
    ['service_type', { service_type: 'vm' }],
    ['image.reference', { image: { reference: 'two words' } }],
    ['resources.cpu', { resources: { cpu: { min: 2, max: 1 }, memory } }],
    ['resources.cpu.max', { resources: { cpu: { min: 1, max: '1.5' }, memory } }],
    ['resources.cpu.max', { resources: { cpu: { min: 1, max: 1.5 }, memory } }],
    ['resources.memory', { resources: { cpu: { min: 1, max: 1 }, memory: { min: '2GB', max: '1GB' } } }],
    ['resources.memory.max', { resources: { cpu: { min: 1, max: 1 }, memory: { min: '1GB', max: '1GiB' } } }],
    ['process.args[1]', { process: { args: ['a', 1] } }],
    [
      'process.env',
      {
        process: {
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        },
      },
    ],
    ['process.env[0].value', { process: { env: [{ name: 'A' }] } }],
    ['process.env[0].name', { process: { env: [{ name: 'A=B', value: '1' }] } }],
    [
      'network.ports[0].container_port',
      { network: { ports: [{ container_port: 65_536, visibility: 'none' }] } },
    ],
    ['network.ports[0].container_port', { network: { ports: [{ container_port: 0, visibility: 'none' }] } }],
    ['network.ports[0].visibility', { network: { ports: [{ container_port: 80 }] } }],
    [
      'network.ports',
      {
        network: {
          ports: [
            { container_port: 80, visibility: 'none' },
            { container_port: 80, visibility: 'internal' },
          ],
        },
      },
    ],
    [
      'network.ports',
      {
        network: {
          ports: Array.from({ length: 101 }, (_, port) => ({ container_port: port + 1, visibility: 'none' })),
        },
      },
    ],
    ['metadata.labels.aws:x', { metadata: { labels: { 'aws:x': 'y' } } }],
    ['metadata.labels.a,b', { metadata: { labels: { 'a,b': 'y' } } }],
    ['metadata.labels.a', { metadata: { labels: { a: 'x;y' } } }],
    ['provider_hints.aws.instance_type', { provider_hints: { aws: { instance_type: 't3.micro' } } }],
    ['provider_hints.aws.launch', { provider_hints: { aws: { launch: 'ec2' } } }],
    ['provider_hints.aws.restart', { provider_hints: { aws: { restart: 'always' } } }],
    ['provider_hints.aws.ephemeral_storage', { provider_hints: { aws: { ephemeral_storage: 20 } } }],
    ['provider_hints.aws.stop_timeout', { provider_hints: { aws: { stop_timeout: 121 } } }],
    ['provider_hints.aws.stop_timeout', { provider_hints: { aws: { stop_timeout: 1 } } }],
    ['provider_hints.aws.task_role', { provider_hints: { aws: { task_role: 'admin' } } }],
    ['stop_timeout', { stop_timeout: 5 }],
  ])('is refused with the name of the invalid field %s', (path, changes) => {
    expect(() => containerSpecOf(containerSpec(changes))).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(`${path}: `) }),
    );
  });

  it.each(['0.3', '0', '-1', 'lots', -1])('says in words what a CPU is where it is %j', (max) => {
    const asked = () => containerSpecOf(containerSpec({ resources: { cpu: { max }, memory } }));

    expect(asked).toThrow(
      'resources.cpu.max: expected a whole number of at least 1, or text such as 500m or 2',
    );
  });

  it('is not refused for the order of two ends of which one is no number', () => {
    const asked = () =>
      containerSpecOf(containerSpec({ resources: { cpu: { min: 'lots', max: 1 }, memory } }));

    expect(asked).not.toThrow('expected a min that is not more than max');
    expect(asked).toThrow('resources.cpu.min: ');
  });

  it.each([[{}], [{ spec: {} }], [[]], ['text'], [null], [{ name: 'x' }]])(
    'is refused where it is %j',
    (body) => {
      expect(() => containerSpecOf(body)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    },
  );
});
