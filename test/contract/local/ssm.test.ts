import { DescribeImagesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { startEc2Simulator } from '../../../local/emulators/ec2/start-ec2-simulator.ts';
import { startSsm } from '../../../local/emulators/ssm.ts';

const [ssm, simulator] = [await startSsm(), await startEc2Simulator({ emit: () => undefined })];
const client = new SSMClient({ ...clientConfig(ssm.url), maxAttempts: 1 });
const ec2 = new EC2Client(clientConfig(simulator.url));
afterAll(async () => {
  client.destroy();
  ec2.destroy();
  await Promise.all([ssm[Symbol.asyncDispose](), simulator[Symbol.asyncDispose]()]);
});

const image = async (Name: string) => {
  const { Parameter } = await client.send(new GetParameterCommand({ Name }));
  const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [Parameter?.Value ?? ''] }));
  return { parameter: Parameter, image: Images?.[0] };
};

describe('SSM', () => {
  it.each([
    ['ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64', /^al2023-.*x86_64$/, 'x86_64'],
    ['ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64', /^al2023-.*arm64$/, 'arm64'],
    ['canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id', /noble-24.04-amd64/, 'x86_64'],
    ['canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id', /jammy-22.04-arm64/, 'arm64'],
    ['debian/release/12/latest/amd64', /^debian-12-amd64/, 'x86_64'],
    ['ami-windows-latest/Windows_Server-2022-English-Full-Base', /^Windows_Server-2022/, 'x86_64'],
  ])('names the newest image at /aws/service/%s', async (path, name, architecture) => {
    const found = await image(`/aws/service/${path}`);

    expect(found.parameter).toMatchObject({ Name: `/aws/service/${path}`, Type: 'String' });
    expect(found.image).toMatchObject({ Name: expect.stringMatching(name), Architecture: architecture });
    const others = await ec2.send(
      new DescribeImagesCommand({
        Owners: [found.image?.OwnerId ?? ''],
        Filters: [{ Name: 'name', Values: [String(found.image?.Name).replace(/2025[.\d]*/, '*')] }],
      }),
    );
    const dates = others.Images?.map(({ CreationDate = '' }) => CreationDate).sort();
    expect(dates?.at(-1)).toBe(found.image?.CreationDate);
  });

  it('knows no other parameter', async () => {
    await expect(image('/aws/service/beos/latest')).rejects.toMatchObject({ name: 'ParameterNotFound' });
    await expect(image('/aws/service/ami-windows-latest')).rejects.toMatchObject({
      name: 'ParameterNotFound',
    });
  });

  it('answers no other operation', async () => {
    const put = new PutParameterCommand({ Name: 'a', Value: 'b', Type: 'String' });

    await expect(client.send(put)).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });
});
