import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commandsFor } from '../../../console/src/commands.ts';

const vm = {
  serviceType: 'vm' as const,
  ...{ dcmId: 'web-1', resourceId: 'i-0abc', taskArn: undefined },
  ...{ target: 'prod/eu-west-1', region: 'eu-west-1', url: 'https://api.example/vms/web-1' },
};

const wordsOf = (command: string): string[] =>
  execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');

describe('the commands that the console copies', () => {
  it('read the resource, in its target', () => {
    expect(commandsFor(vm)).toEqual([
      ['curl', 'curl -H "Authorization: Bearer $TOKEN" https://api.example/vms/web-1'],
      ['ec2sp', 'ec2sp vm get web-1 --target prod/eu-west-1'],
      ['aws', 'aws ec2 describe-instances --region eu-west-1 --instance-ids i-0abc'],
    ]);
  });

  it('name the ECS cluster of a container', () => {
    const taskArn = 'arn:aws:ecs:eu-west-1:123456789012:task/apps/0abc';
    const [, , aws] = commandsFor({ ...vm, serviceType: 'container', resourceId: '0abc', taskArn });

    expect(aws?.[1]).toBe('aws ecs describe-tasks --region eu-west-1 --cluster apps --tasks 0abc');
  });

  it.each(["it's; echo gone", '`echo gone`$(echo gone)', 'a b', '"*"'])(
    'run nothing of the id %s',
    (dcmId) => {
      const url = `https://api.example/vms/${encodeURIComponent(dcmId)}`;
      const [curl, ec2sp] = commandsFor({ ...vm, dcmId, url });

      expect(wordsOf(ec2sp?.[1] ?? '')).toEqual(['ec2sp', 'vm', 'get', dcmId, '--target', 'prod/eu-west-1']);
      expect(wordsOf(curl?.[1] ?? '').at(-1)).toBe(url);
    },
  );
});
