import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describeCheck } from './check.ts';
import { groups } from './groups.ts';

/** The table in docs/conformance.md begins after this line, and ends with the file. */
const marker = '<!-- made by `npx tsx conformance/reference.ts`: -->\n';

export const page = fileURLToPath(new URL('../docs/conformance.md', import.meta.url));

/** The page with a newly generated table of all checks. */
export const conformanceReference = (text: string): string =>
  text.slice(0, text.indexOf(marker) + marker.length) + groups.map(section).join('');

const section = ({ title, needs, serviceType, checks }: (typeof groups)[number]): string => {
  const rows = checks.map((check) => {
    const needed = check.needs ? ` Needs \`${check.needs}\`.` : '';
    return `| ${check.id} | ${describeCheck(check)} | ${check.source}${needed && `.${needed}`} |\n`;
  });
  const need = needs ? `Needs \`${needs}\`.` : '';
  const only = serviceType ? `Only with \`--service-type ${serviceType}\`.` : '';
  const preface = [only, need].filter((text) => text !== '').join(' ');
  return `\n### ${title}\n\n${preface && `${preface}\n\n`}| check | a provider … | who relies on it |\n|---|---|---|\n${rows.join('')}`;
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writeFile(page, conformanceReference(await readFile(page, 'utf8')));
