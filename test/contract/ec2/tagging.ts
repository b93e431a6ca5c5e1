import { randomUUID } from 'node:crypto';
import { CreateTagsCommand, DeleteTagsCommand, DescribeTagsCommand, type Tag } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { codes, type Subject } from './subject.ts';

export const tagging = ({ ec2, launch }: Subject) => {
  const create = (id: string, ...Tags: Tag[]) => ec2().send(new CreateTagsCommand({ Resources: [id], Tags }));
  const remove = (id: string, ...Tags: Tag[]) => ec2().send(new DeleteTagsCommand({ Resources: [id], Tags }));
  const tagsOf = async (id: string) => {
    const ofInstance = { Name: 'resource-id', Values: [id] };
    const { Tags = [] } = await ec2().send(new DescribeTagsCommand({ Filters: [ofInstance] }));
    return Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));
  };

  describe('tagging', () => {
    it('adds and replaces tags, whatever is in them', async () => {
      const tag = randomUUID();
      const [id = ''] = await launch({ tag });

      await create(id, { Key: 'name', Value: 'first' }, { Key: 'odd', Value: '<&> "ü"' });
      await create(id, { Key: 'name', Value: 'second' });

      expect(await tagsOf(id)).toEqual({ contract: tag, name: 'second', odd: '<&> "ü"' });
    });

    it('deletes a tag by its key, or by its key where it has that value', async () => {
      const tag = randomUUID();
      const [id = ''] = await launch({ tag });
      await create(id, { Key: 'a', Value: '1' }, { Key: 'b', Value: '1' });

      await remove(id, { Key: 'a' }, { Key: 'b', Value: 'other' });

      expect(await tagsOf(id)).toEqual({ contract: tag, b: '1' });
    });

    it('refuses tags that EC2 would not keep', async () => {
      const [id = ''] = await launch();
      const many = Array.from({ length: 50 }, (_, index) => ({ Key: `key-${index}`, Value: '' }));

      const refused = await codes(
        create(id, { Key: 'aws:own', Value: '' }),
        create(id, { Key: 'k'.repeat(129), Value: '' }),
        create(id, { Key: 'key', Value: 'v'.repeat(257) }),
        create(id, ...many),
      );

      expect(refused).toEqual([
        'InvalidParameterValue',
        'InvalidParameterValue',
        'InvalidParameterValue',
        'TagLimitExceeded',
      ]);
    });
  });
};
