import { readFile, writeFile } from 'node:fs/promises';

const begin = '<!-- bench:begin -->';
const end = '<!-- bench:end -->';

/** Puts the table between the two marks of a Markdown file. @throws where the file has no such marks. */
export const rewriteTable = async (file: URL, table: string): Promise<void> => {
  const text = await readFile(file, 'utf8');
  const [before, rest] = text.split(begin, 2);
  const [, after] = rest?.split(end, 2) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`${file.pathname} has no ${begin} and ${end}.`);
  await writeFile(file, `${before}${begin}\n${table}\n${end}${after}`);
};
