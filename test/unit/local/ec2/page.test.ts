import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageFrom, pageOf } from '../../../../local/emulators/ec2/page.ts';

const place = (item: string) => item;
const letters = 'abcdefghijkl'.split('');

describe('EC2 simulator, paging', () => {
  it('answers everything where no page is requested', () => {
    expect(pageOf(letters, {}, place)).toEqual({ page: letters, nextToken: undefined });
  });

  it('continues after the last page, and ends without a token', () => {
    const first = pageOf(letters, { MaxResults: 7 }, place);
    const second = pageOf(letters, { MaxResults: 7, NextToken: first.nextToken }, place);

    expect([first.page.join(''), second.page.join('')]).toEqual(['abcdefg', 'hijkl']);
    expect(second.nextToken).toBeUndefined();
  });

  it('lists every remaining item, whatever is removed between two pages', () => {
    fc.assert(
      fc.property(fc.subarray(letters), fc.integer({ min: 5, max: 8 }), (gone, MaxResults) => {
        const first = pageOf(letters, { MaxResults }, place);
        const left = letters.filter((letter) => !gone.includes(letter));
        const second = pageOf(left, { MaxResults, NextToken: first.nextToken }, place);

        const seen = [...first.page, ...second.page];
        const passed = left.filter((letter) => letter <= (seen.at(-1) ?? ''));
        expect(passed.filter((letter) => !seen.includes(letter))).toEqual([]);
        expect(new Set(seen).size).toBe(seen.length);
      }),
    );
  });

  it('reads no further than the page needs', () => {
    const read: string[] = [];
    const source = {
      *itemsAfter() {
        for (const letter of letters) {
          read.push(letter);
          yield letter;
        }
      },
      positionOf: place,
    };

    const { page } = pageFrom(source, { MaxResults: 5 });

    expect(page.join('')).toBe('abcde');
    expect(read.join('')).toBe('abcdef');
  });

  it('leaves to the next page what it does not show, and ends with an empty one', () => {
    const shown = [2, 0, 5, 5];
    const pages: string[] = [];
    const tokens: (string | undefined)[] = [undefined];
    const source = {
      itemsAfter: (after: string) => letters.filter((letter) => letter > after),
      positionOf: place,
      shorten: () => shown[pages.length] ?? 5,
    };

    while (tokens.length === pages.length + 1) {
      const { page, nextToken } = pageFrom(source, { MaxResults: 5, NextToken: tokens.at(-1) });
      pages.push(page.join(''));
      if (nextToken) tokens.push(nextToken);
    }

    expect(pages).toEqual(['ab', '', 'cdefg', 'hijkl', '']);
    expect(new Set(tokens).size).toBe(tokens.length);
  });
});
