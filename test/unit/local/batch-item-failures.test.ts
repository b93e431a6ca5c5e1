import { describe, expect, it } from 'vitest';
import { unprocessedMessages } from '../../../local/emulators/event-source-mapping.ts';

const batch = ['m-1', 'm-2', 'm-3'];
const failures = (...itemIdentifiers: unknown[]) => ({
  batchItemFailures: itemIdentifiers.map((itemIdentifier) => ({ itemIdentifier })),
});

describe('batch item failures', () => {
  it.each<[string, unknown, string[]]>([
    ['null', null, []],
    ['nothing', undefined, []],
    ['an object without failures', {}, []],
    ['failures that are null', { batchItemFailures: null }, []],
    ['no failures', failures(), []],
    ['some failures', failures('m-3', 'm-1'), ['m-3', 'm-1']],
    ['an id that is not of the batch', failures('m-1', 'm-9'), batch],
    ['an empty id', failures(''), batch],
    ['an id that is null', failures(null), batch],
    ['an item with another key', { batchItemFailures: [{ id: 'm-1' }] }, batch],
    ['failures that are no list', { batchItemFailures: 'm-1' }, batch],
    ['a text', 'done', batch],
  ])('reads %s as Lambda does', (_, answer, expected) => {
    expect(unprocessedMessages(answer, batch)).toEqual(expected);
  });
});
