import { readFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);

/** The text of a file of the repository. */
export const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** A block of code of a page. */
export type Block = {
  readonly page: string;
  readonly language: string;
  readonly text: string;
  /** What the page says before it, in a comment, such as `needs AWS`. */
  readonly mark: string;
  /** Where in the page it is. */
  readonly index: number;
};

const fence = /^(?<before>[^\n]*)\n(?<indent> *)```(?<language>[^\n]*)\n(?<body>.*?)^\k<indent>```$/gms;

export const blocksOf = (page: string): Block[] =>
  [...textOf(page).matchAll(fence)].map(
    ({ index, groups: { before = '', language = '', body = '' } = {} }) => ({
      ...{ page, language, text: body, index },
      mark: /^\s*<!-- (.*) -->$/.exec(before)?.[1] ?? '',
    }),
  );

/** The blocks for a shell that say that this test runs them, as one script. */
export const scriptRunBy = (test: string, page: string): string =>
  blocksOf(page)
    .filter(({ language, mark }) => language === 'sh' && mark === `run by ${test}`)
    .map(({ text }) => text)
    .join('\n');
