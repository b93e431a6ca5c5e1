import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, UnprocessableError } from '../../../../../shared/core/errors.ts';
import type { Architecture } from '../../../../../shared/service-types/vm/image-catalogue.ts';
import { chooseImage } from '../../../../../shared/service-types/vm/plan/choose-image.ts';
import { Provisioning } from '../../../../../shared/service-types/vm/provisioning.ts';
import { image, imageId, scriptedOfferings } from '../../../../fakes/scripted-offerings.ts';
import { vmSpec } from '../../../../fixtures/vm-spec.ts';

const redHat = '309956199498';
const fedora = '125523088429';
const stranger = '666666666666';

const offerings = () => {
  const scripted = scriptedOfferings([
    image({ imageId: imageId(1), name: 'al2023' }),
    image({ imageId: imageId(2), name: 'noble' }),
    {
      ...image({ imageId: imageId(3), name: 'RHEL-9.6.0_HVM_BETA-20250301-x86_64-0-Hourly2-GP3' }),
      owner: redHat,
    },
    {
      ...image({ imageId: imageId(4), name: 'RHEL-9.5.0_HVM-20250115-x86_64-0-Hourly2-GP3' }),
      owner: redHat,
    },
    {
      ...image({ imageId: imageId(5), name: 'RHEL-9.5.0_HVM-20250115-x86_64-0-Access2-GP3' }),
      owner: redHat,
    },
    {
      ...image({ imageId: imageId(6), name: 'Fedora-Cloud-Base-AmazonEC2.x86_64-Rawhide-20260801.n.0' }),
      owner: fedora,
    },
    {
      ...image({ imageId: imageId(7), name: 'Fedora-Cloud-Base-AmazonEC2.x86_64-43-20260801.0' }),
      owner: fedora,
    },
    { ...image({ imageId: imageId(8), name: 'Fedora-Cloud-Base-AmazonEC2.x86_64-44-1.7' }), owner: fedora },
    { ...image({ imageId: imageId(9), name: 'CentOS Stream 9 x86_64 20260801' }), owner: fedora },
    image({ imageId: imageId(10), name: 'windows', platform: 'windows' }),
    {
      ...image({
        imageId: imageId(11),
        name: 'RHEL-9.5.0_HVM-20250115-arm64-0-Hourly2-GP3',
        architecture: 'arm64',
      }),
      owner: redHat,
    },
    image({ imageId: imageId(12), name: 'golden' }),
    { ...image({ imageId: imageId(13), name: 'a stranger’s' }), owner: stranger },
  ]);
  const ssm = {
    'ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64': 1,
    'canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id': 2,
    'canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id': 2,
    'debian/release/12/latest/amd64': 2,
    'ami-windows-latest/Windows_Server-2022-English-Full-Base': 10,
  };
  for (const [name, n] of Object.entries(ssm)) scripted.parameters.set(`/aws/service/${name}`, imageId(n));
  return scripted;
};

type Wanted = {
  guestOs?: string;
  hint?: string;
  region?: string;
  architectures?: Architecture[];
  images?: Provisioning['images'];
  allowedImageOwners?: string[];
};

const choose = ({ guestOs, hint, region = 'us-east-1', architectures = ['x86_64'], ...settings }: Wanted) =>
  chooseImage({ offerings: offerings(), provisioning: Provisioning.parse({ regions: {}, ...settings }) })(
    vmSpec({ guestOs, hints: { image_id: hint } }),
    { target: { region }, architectures },
  );

describe('the image', () => {
  it.each([
    ['amazon-linux-2023', 1, 'ec2-user'],
    ['ubuntu-24.04', 2, 'ubuntu'],
    ['ubuntu-22.04', 2, 'ubuntu'],
    ['debian-12', 2, 'admin'],
    ['rhel-9', 4, 'ec2-user'],
    ['fedora', 8, 'fedora'],
    ['centos-stream-9', 9, 'ec2-user'],
    ['windows-server-2022', 10, undefined],
    ['RHEL-9', 4, 'ec2-user'],
  ])('for %s comes from the catalogue, like its SSH user', async (guestOs, n, sshUser) => {
    const chosen = await choose({ guestOs });

    expect(chosen).toMatchObject({ image: { imageId: imageId(n) }, sshUser });
    expect(chosen.chosenBy).toMatch(new RegExp(`^catalogue: ${guestOs.toLowerCase()} \\(.+\\)$`));
  });

  it('is of the publisher’s account in the region’s partition', async () => {
    await expect(choose({ guestOs: 'rhel-9', region: 'us-gov-west-1' })).rejects.toThrow(
      'there is no image of rhel-9 for x86_64 in us-gov-west-1',
    );
  });

  it('is refused in a partition where its publisher is not known', async () => {
    const chosen = choose({ guestOs: 'fedora', region: 'cn-north-1' });

    await expect(chosen).rejects.toThrow(UnprocessableError);
    await expect(chosen).rejects.toThrow(
      'guest_os.type: this provider does not know which account publishes fedora in partition aws-cn; the operator can configure an image in provisioning.images',
    );
  });

  it('has the catalogue’s source in chosen_by', async () => {
    expect((await choose({ guestOs: 'rhel-9' })).chosenBy).toBe(
      'catalogue: rhel-9 (newest of owner 309956199498 named RHEL-9.*_HVM-*-Hourly2-GP3)',
    );
    expect((await choose({ guestOs: 'debian-12' })).chosenBy).toBe(
      'catalogue: debian-12 (SSM parameter /aws/service/debian/release/12/latest/amd64)',
    );
  });

  it('is Amazon Linux 2023 by default (C 25)', async () => {
    const { image: chosen, chosenBy } = await choose({});

    expect(chosen.imageId).toBe(imageId(1));
    expect(chosenBy).toMatch(/^catalogue: amazon-linux-2023 \(.*\), as guest_os.type is absent$/);
  });

  it('is that of the hint before anything else', async () => {
    const chosen = await choose({
      guestOs: 'rhel-9',
      hint: imageId(12),
      images: { 'rhel-9': { imageId: imageId(2) } },
    });

    expect(chosen).toMatchObject({
      image: { imageId: imageId(12) },
      chosenBy: 'provider_hints.aws.image_id',
    });
  });

  it('is that whose id the guest OS names', async () => {
    expect(await choose({ guestOs: imageId(12) })).toMatchObject({
      image: { imageId: imageId(12) },
      sshUser: undefined,
      chosenBy: 'guest_os.type',
    });
  });

  it.each<[string, Provisioning['images'], string]>([
    ['id', { 'rhel-9': { imageId: imageId(12), sshUser: 'ops' } }, `configured: rhel-9 (${imageId(12)})`],
    [
      'parameter',
      { 'RHEL-9': { ssmParameter: '/aws/service/debian/release/12/latest/amd64', sshUser: 'ops' } },
      'configured: rhel-9 (SSM parameter /aws/service/debian/release/12/latest/amd64)',
    ],
    [
      'name',
      { 'rhel-9': { owner: redHat, name: 'RHEL-9.*-Access2-GP3', sshUser: 'ops' } },
      'configured: rhel-9 (newest of owner 309956199498 named RHEL-9.*-Access2-GP3)',
    ],
  ])('is the operator’s by %s before the catalogue’s', async (_, images, chosenBy) => {
    expect(await choose({ guestOs: 'rhel-9', images })).toMatchObject({ sshUser: 'ops', chosenBy });
  });

  it('is for the architecture of the best type, or else of the next', async () => {
    expect((await choose({ guestOs: 'rhel-9', architectures: ['arm64', 'x86_64'] })).image.imageId).toBe(
      imageId(11),
    );
    expect((await choose({ guestOs: 'fedora', architectures: ['arm64', 'x86_64'] })).image.imageId).toBe(
      imageId(8),
    );
  });

  it.each([
    [
      { hint: imageId(99) },
      'provider_hints.aws.image_id: there is no image ami-00000000000000063 in us-east-1',
    ],
    [{ guestOs: imageId(99) }, 'guest_os.type: there is no image'],
    [
      { guestOs: 'plan9' },
      'expected an ami-… id or one of amazon-linux-2023, centos-stream-9, debian-12, fedora',
    ],
    [{ guestOs: 'constructor' }, 'not "constructor"'],
    [{ guestOs: 'x'.repeat(5000) }, `not "${'x'.repeat(64)}"`],
    [{ guestOs: 'plan9', images: { 'my-os': { imageId: imageId(1) } } }, 'my-os'],
  ])('is refused where it does not exist: %j (C2 6)', async (wanted, why) => {
    await expect(choose(wanted)).rejects.toThrow(InvalidArgumentError);
    await expect(choose(wanted)).rejects.toThrow(why);
  });

  it.each([
    ['hint', { hint: imageId(13) }, 'provider_hints.aws.image_id'],
    ['guest OS', { guestOs: imageId(13) }, 'guest_os.type'],
  ])('of an owner that is not allowed is refused: by %s (X 3)', async (_, wanted, field) => {
    await expect(choose(wanted)).rejects.toThrow(UnprocessableError);
    await expect(choose(wanted)).rejects.toThrow(
      `${field}: this provider does not allow ${imageId(13)}, only images of the owners amazon, 099720109477, 125523088429, 136693071363, 309956199498, and images that the settings name by id`,
    );
  });

  it.each<[string, Wanted]>([
    ['the owner of a configured image', { images: { other: { owner: stranger, name: 'other-*' } } }],
    ['an owner that the settings allow', { allowedImageOwners: [stranger] }],
    ['any owner where the settings name the image', { images: { other: { imageId: imageId(13) } } }],
  ])('may be hinted of %s', async (_, settings) => {
    expect((await choose({ hint: imageId(13), ...settings })).image.imageId).toBe(imageId(13));
  });

  it.each([
    [
      { guestOs: 'fedora', architectures: ['arm64' as const] },
      'there is no image of fedora for arm64 in us-east-1',
    ],
    [{ guestOs: 'gone', images: { gone: { ssmParameter: '/gone' } } }, 'there is no image of gone'],
    [{ guestOs: 'gone', images: { gone: { imageId: imageId(99) } } }, 'there is no image of gone'],
  ])('is refused where its source has none: %j', async (wanted, why) => {
    await expect(choose(wanted)).rejects.toThrow(UnprocessableError);
    await expect(choose(wanted)).rejects.toThrow(why);
  });
});
