import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expectedFailures } from './contract/expected-failures.ts';
import { deviations } from './deviations.ts';

/** Where the lists begin in docs/acceptance.md; they end with the file. */
const marker = '<!-- made by `npx tsx acceptance/reference.ts`: -->\n';

export const page = fileURLToPath(new URL('../docs/acceptance.md', import.meta.url));

/** The page with the lists of what the emulators do otherwise than AWS made anew. */
export const acceptanceReference = (text: string): string =>
  `${text.slice(0, text.indexOf(marker) + marker.length)}${ofMinistack()}${ofMoto()}`;

const ofMinistack = (): string => {
  const rows = deviations.map((one) => `| ${one.name} | ${one.onAws} | ${one.consequence} |\n`);
  return `\n## ministack\n\n| what it does | on AWS | in this run |\n|---|---|---|\n${rows.join('')}`;
};

const ofMoto = (): string => {
  const rows = expectedFailures.map(({ reason, tests }) => `| ${reason} | ${tests.join('<br>')} |\n`);
  return `\n## moto\n\n| what it does | tests of the EC2 contract that fail |\n|---|---|\n${rows.join('')}`;
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writeFile(page, acceptanceReference(await readFile(page, 'utf8')));
