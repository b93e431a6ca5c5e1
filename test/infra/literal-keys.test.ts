import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { literalKeys, withLiteralKeys } from '../../infra/literal-keys.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'literal-keys-'));
afterAll(() => rm(folder, { recursive: true }));

/** Prints what the SDK's client would send to EC2 for a launch, and what it parses from the answer. */
const program = `
import { EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
export const launch = async () => {
  let sent;
  const answer = '<RunInstancesResponse><ownerId>123456789012</ownerId><instancesSet><item><instanceId>i-1</instanceId>'
    + '<placement><availabilityZone>us-east-1a</availabilityZone></placement></item></instancesSet></RunInstancesResponse>';
  const requestHandler = { handle: async (request) => {
    sent = request.body;
    return { response: { statusCode: 200, headers: {}, body: new TextEncoder().encode(answer), reason: '' } };
  } };
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const client = new EC2Client({ region: 'us-east-1', credentials, requestHandler });
  const { OwnerId, Instances } = await client.send(new RunInstancesCommand({
    MinCount: 1, MaxCount: 1, ClientToken: 'token', SecurityGroupIds: ['sg-1', 'sg-2'], MetadataOptions: { HttpTokens: 'required' },
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 10, Encrypted: true } }],
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'managed-by', Value: 'dcm' }] }],
  }));
  return { sent, OwnerId, Instances };
};`;

const bundled = async (name: string, plugins: (typeof literalKeys)[]) => {
  const outfile = join(folder, `${name}.mjs`);
  const { metafile } = await build({
    stdin: { contents: program, resolveDir: root },
    ...{ outfile, bundle: true, minify: true, format: 'esm', platform: 'node', metafile: true, plugins },
    mainFields: ['module', 'main'],
    banner: { js: "import{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);" },
  });
  const { launch } = await import(pathToFileURL(outfile).href);
  const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  return { launched: await launch(), bytes };
};

describe('literal keys', () => {
  it('replace only constants of the same file', () => {
    const source =
      'const _a = "ab";\nconst b = "c";\nexport const x = { [_a]: 1, [b]: 2, [_c]: 3, list: [_a] };\n';

    expect(withLiteralKeys(source)).toBe(
      'const _a = "ab";\nconst b = "c";\nexport const x = { "ab": 1, [b]: 2, [_c]: 3, list: [_a] };\n',
    );
  });

  it('do not change what is sent to EC2 and read from it, and omit half of the client', async () => {
    const [whole, lean] = [await bundled('whole', []), await bundled('lean', [literalKeys])];

    expect(lean.launched).toEqual(whole.launched);
    expect(whole.launched.sent).toContain('BlockDeviceMapping.1.Ebs.VolumeSize=10');
    expect(whole.launched.Instances[0].InstanceId).toBe('i-1');
    expect(lean.bytes).toBeLessThan(whole.bytes / 2);
  });
});
