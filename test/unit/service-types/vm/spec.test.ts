import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../../shared/core/errors.ts';
import { specOf } from '../../../../shared/service-types/vm/spec.ts';
import { sshPublicKey, vmSpec } from '../../../fixtures/vm-spec.ts';

/** What DCM's service provider manager sends, byte for byte. */
const fromTheManager =
  '{"spec":{"access":{},"guest_os":{"type":"rhel-9"},"ip":"","memory":{"size":"4GB"},"metadata":{"labels":{"tier":"web"},"name":"web-1"},"provider_hints":{"aws":{"instanceType":"t3.medium"}},"service_type":"vm","storage":{"disks":[{"capacity":"20GB","name":"boot"}]},"vcpu":{"count":2}}}';
const fromTheAgent = '{"service_type":"vm","vcpu":{"count":2}}';

const refusalOf = (body: unknown): string => {
  try {
    specOf(body);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return String(error);
  }
  throw new Error('it was not refused');
};

describe('a VM spec', () => {
  it('is read as the older control plane sends it', () => {
    expect(specOf(JSON.parse(fromTheManager))).toEqual(
      vmSpec({
        vcpus: 2,
        memoryMib: 4096,
        disks: [{ name: 'boot', gib: 20 }],
        guestOs: 'rhel-9',
        name: 'web-1',
        labels: { tier: 'web' },
        hints: { instance_type: 't3.medium' },
      }),
    );
  });

  it('is read from the whole body, as the environment agent sends it (D4, C2 22)', () => {
    expect(specOf(JSON.parse(fromTheAgent))).toEqual(vmSpec({ vcpus: 2 }));
  });

  it('may have only its service type, since metadata and guest OS are often absent (C 25)', () => {
    expect(specOf({ spec: { service_type: 'vm' } })).toEqual(vmSpec());
    expect(specOf({ spec: { vcpu: { count: 1 } } })).toEqual(vmSpec({ vcpus: 1 }));
  });

  it('counts the empty values of DCM’s templates as absent', () => {
    const zeros = {
      service_type: 'vm',
      vcpu: { count: 0 },
      memory: { size: '' },
      storage: { disks: null },
      guest_os: { type: '' },
      access: {},
      metadata: { name: '', labels: {} },
      provider_hints: { aws: { instance_type: '', security_group_ids: [], spot: null } },
      ip: '',
    };

    expect(specOf({ spec: zeros })).toEqual(vmSpec());
  });

  it.each([null, '', 0, {}, []])('counts %j as absent in place of any section', (nothing) => {
    const sections = ['vcpu', 'memory', 'storage', 'guest_os', 'access', 'metadata', 'provider_hints'];

    for (const section of sections)
      expect(specOf({ service_type: 'vm', [section]: nothing })).toEqual(vmSpec());
  });

  it('ignores unknown keys, and the hints of other providers (C 9)', () => {
    const spec = {
      service_type: 'vm',
      nested_virtualisation: true,
      vcpu: { count: 2, cores: 'many' },
      provider_hints: { kcli: { profile: 'fedora' }, osac: { template_id: 't' } },
    };

    expect(specOf({ spec, operation: 'create' })).toEqual(vmSpec({ vcpus: 2 }));
  });

  it.each([
    ['1MB', 1, 1],
    ['1024MB', 1024, 1],
    ['1025MB', 1025, 2],
    ['4GB', 4096, 4],
    ['2TB', 2 * 1024 * 1024, 2048],
  ])('reads %s as %i MiB of memory and a disk of %i GiB', (size, memoryMib, gib) => {
    const spec = specOf({ memory: { size }, storage: { disks: [{ name: 'boot', capacity: size }] } });

    expect(spec).toMatchObject({ memoryMib, disks: [{ name: 'boot', gib }] });
  });

  it('keeps a label with an empty value, which EC2 allows', () => {
    expect(specOf({ metadata: { labels: { critical: '', owner: null } } }).labels).toEqual({ critical: '' });
  });

  it.each([
    sshPublicKey,
    ` ${sshPublicKey}\n`,
    `ssh-rsa ${'A'.repeat(372)}==`,
    `ecdsa-sha2-nistp256 ${'A'.repeat(140)}=`,
    `sk-ssh-ed25519@openssh.com ${'A'.repeat(100)} key $(reboot) \`id\` "quoted": {yaml}`,
  ])('accepts an OpenSSH public key: %s', (key) => {
    expect(specOf({ access: { ssh_public_key: key } }).sshPublicKey).toBe(key.trim());
  });

  it.each([
    ['an array', []],
    ['a text', 'vm'],
    ['nothing', null],
    ['an empty object', {}],
    ['an empty spec', { spec: {} }],
    ['no spec', { spec: null }],
    ['something else', { hello: 'world' }],
    ['a list as spec', { spec: [{ service_type: 'vm' }] }],
  ])('is refused where the body is %s (C 34)', (_, body) => {
    expect(refusalOf(body)).toContain('spec: expected a VM spec');
  });

  it.each([
    ['service_type', { service_type: 'cluster' }, 'expected vm'],
    ['service_type', { service_type: 7 }, 'expected vm'],
    ['vcpu', { vcpu: 4 }, 'expected an object'],
    ['vcpu', { vcpu: [4] }, 'expected an object'],
    ['vcpu.count', { vcpu: { count: 1.5 } }, 'whole number'],
    ['vcpu.count', { vcpu: { count: -1 } }, 'at least 1'],
    ['vcpu.count', { vcpu: { count: '2' } }, 'whole number'],
    ['vcpu.count', { vcpu: { count: true } }, 'whole number'],
    ['memory.size', { memory: { size: '4' } }, 'such as 20GB'],
    ['memory.size', { memory: { size: '4Gi' } }, 'such as 20GB'],
    ['memory.size', { memory: { size: '1.5GB' } }, 'such as 20GB'],
    ['memory.size', { memory: { size: '0GB' } }, 'more than 0'],
    ['memory.size', { memory: { size: 4 } }, 'such as 20GB'],
    ['storage.disks', { storage: { disks: 'boot' } }, 'a list of disks'],
    [
      'storage.disks',
      { storage: { disks: [{ name: 'data', capacity: '1GB' }] } },
      'exactly one disk named boot',
    ],
    [
      'storage.disks',
      {
        storage: {
          disks: [
            { name: 'boot', capacity: '9GB' },
            { name: 'a', capacity: '1GB' },
            { name: 'a', capacity: '1GB' },
          ],
        },
      },
      'a different name for each disk',
    ],
    ['storage.disks[0].capacity', { storage: { disks: [{ name: 'boot' }] } }, 'such as 20GB'],
    [
      'storage.disks[1].name',
      { storage: { disks: [null, { name: 'Boot!', capacity: '1GB' }] } },
      'lower-case',
    ],
    ['guest_os.type', { guest_os: { type: 9 } }, 'such as rhel-9'],
    ['access.ssh_public_key', { access: { ssh_public_key: 'my key' } }, 'OpenSSH public key'],
    ['access.ssh_public_key', { access: { ssh_public_key: `${sshPublicKey}\n${sshPublicKey}` } }, 'one line'],
    ['access.ssh_public_key', { access: { ssh_public_key: `${sshPublicKey}\u0085x` } }, 'one line'],
    ['metadata.name', { metadata: { name: 'Web 1' } }, 'lower-case'],
    ['metadata.name', { metadata: { name: 'a'.repeat(64) } }, 'at most 63'],
    ['metadata.labels', { metadata: { labels: ['a'] } }, 'an object with strings as values'],
    ['metadata.labels.size', { metadata: { labels: { size: 4 } } }, 'expected a string'],
    ['metadata.labels.aws:x', { metadata: { labels: { 'aws:x': 'y' } } }, 'does not begin with aws:'],
    ['metadata.labels.AWS:x', { metadata: { labels: { 'AWS:x': 'y' } } }, 'does not begin with aws:'],
    ['metadata.labels.long', { metadata: { labels: { long: 'x'.repeat(257) } } }, 'at most 256'],
    [
      `metadata.labels.${'k'.repeat(100)}`,
      { metadata: { labels: { ['k'.repeat(129)]: 'x' } } },
      'at most 128',
    ],
    ['metadata.labels.crlf', { metadata: { labels: { crlf: 'a\r\nb' } } }, 'no control characters'],
    ['provider_hints', { provider_hints: 'aws' }, 'expected an object'],
    ['provider_hints.aws', { provider_hints: { aws: 't3.micro' } }, 'expected an object'],
  ])('is refused for a wrong %s: %j (C2 6)', (path, spec, expected) => {
    const refusal = refusalOf({ spec: { service_type: 'vm', ...spec } });

    expect(refusal).toContain(`${path}`);
    expect(refusal).toContain(expected);
  });

  it('is refused with all of its errors', () => {
    const refusal = refusalOf({
      service_type: 'vm',
      vcpu: { count: 'two' },
      memory: { size: 'lots' },
      instance_type: 't3.micro',
      provider_hints: { aws: { user_data: 'x' } },
    });

    for (const path of ['vcpu.count: ', 'memory.size: ', 'instance_type: ', 'provider_hints.aws.user_data: '])
      expect(refusal).toContain(path);
  });

  it('is refused with a message of limited length', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [`${n}-${'x'.repeat(400)}`, { n }]),
    );

    const refusal = refusalOf({ metadata: { labels } });

    expect(refusal.length).toBeLessThan(3_000);
    expect(refusal).toMatch(/and \d+ more$/);
  });

  it('is refused without quoting values, which may be secrets (C 2)', () => {
    expect(refusalOf({ access: { ssh_public_key: 'PRIVATE KEY hunter2' } })).not.toContain('hunter2');
  });

  it('may be nested as deep as JSON', () => {
    const deep = JSON.parse(`${'{"x":'.repeat(5_000)}1${'}'.repeat(5_000)}`);

    expect(specOf({ spec: { service_type: 'vm', deep } })).toEqual(vmSpec());
  });

  it('is read like any other where its keys are names of JavaScript’s objects', () => {
    const body = JSON.parse(
      '{"spec":{"service_type":"vm","__proto__":{"vcpu":{"count":9}},"constructor":1}}',
    );

    expect(specOf(body)).toEqual(vmSpec());
  });
});

/** UTF-16 as JSON can escape it: any code units in any order. */
const utf16 = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0xd800, max: 0xdfff }),
      fc.integer({ min: 0x61, max: 0x7a }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((units) => String.fromCharCode(...units));

const textFields: readonly (readonly [string, (text: string) => object])[] = [
  ['service_type', (text) => ({ service_type: text })],
  ['memory.size', (text) => ({ memory: { size: text } })],
  ['storage.disks[0].name', (text) => ({ storage: { disks: [{ name: text, capacity: '20GB' }] } })],
  ['guest_os.type', (text) => ({ guest_os: { type: text } })],
  ['access.ssh_public_key', (text) => ({ access: { ssh_public_key: `${sshPublicKey} ${text}` } })],
  ['metadata.name', (text) => ({ metadata: { name: text } })],
  ['metadata.labels.team', (text) => ({ metadata: { labels: { team: text } } })],
  ['provider_hints.aws.image_id', (text) => ({ provider_hints: { aws: { image_id: text } } })],
  [
    'provider_hints.aws.security_group_ids[1]',
    (text) => ({ provider_hints: { aws: { security_group_ids: ['sg-12345678', text] } } }),
  ],
  ['provider_hints.other.text', (text) => ({ provider_hints: { other: { text } }, vcpu: { count: 1 } })],
];

describe('a label with the name of an object’s member', () => {
  it('is refused where it cannot be stored, by its path', () => {
    const body = '{"spec":{"vcpu":{"count":1},"metadata":{"labels":{"__proto__":"x","team":"a"}}}}';

    expect(refusalOf(JSON.parse(body))).toBe(
      'InvalidArgumentError: metadata.labels.__proto__: expected another name: this one cannot be stored',
    );
  });

  it('is kept where it can be stored', () => {
    const labels = { constructor: 'x', toString: 'y', hasOwnProperty: 'z' };

    expect(specOf({ vcpu: { count: 1 }, metadata: { labels } }).labels).toEqual(labels);
  });

  it('is not a field of a VM spec', () => {
    expect(refusalOf({ constructor: 1, toString: 2 })).toContain('expected a VM spec');
  });
});

describe('text that UTF-8 cannot encode', () => {
  it.each(textFields)('is refused in %s by the name of the field', (path, specWith) => {
    const text = 'shop \ud83d';

    expect(refusalOf({ spec: specWith(text) })).toBe(
      `InvalidArgumentError: ${path}: expected text without an unpaired surrogate`,
    );
    expect(refusalOf(specWith(text))).toContain(path);
  });

  it('is refused in the name of a label', () => {
    expect(refusalOf({ metadata: { labels: { 'a\udc00': 'x' } } })).toBe(
      'InvalidArgumentError: metadata.labels.a\ufffd: expected text without an unpaired surrogate',
    );
  });

  it('is refused at any depth, however deep the body is nested', () => {
    const deep = `{"vcpu":{"count":1},"x":${'['.repeat(100_000)}"\\ud83d"${']'.repeat(100_000)}}`;

    expect(refusalOf(JSON.parse(deep))).toContain('expected text without an unpaired surrogate');
  });

  it('is in no spec that was read, whatever UTF-16 the body has', () => {
    fc.assert(
      fc.property(fc.constantFrom(...textFields), utf16, ([path, specWith], text) => {
        if (!text.isWellFormed()) expect(refusalOf(specWith(text))).toContain(path);
        else if (path === 'metadata.labels.team' && !/\p{Cc}/u.test(text))
          expect(specOf(specWith(text)).labels).toEqual({ team: text });
      }),
    );
  });
});
