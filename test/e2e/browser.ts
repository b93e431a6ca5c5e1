import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const usual = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** How to get a browser, where there is none. */
export const howToGetChromium =
  'there is no Chromium: install it (Debian and Ubuntu: apt-get install chromium; macOS: Google Chrome), or set CHROMIUM to its path';

/** The path of Chromium on this machine: CHROMIUM, or what PATH has. Undefined: there is none. */
export const findChromium = (): string | undefined => {
  const { CHROMIUM: given, PATH = '' } = process.env;
  const folders = PATH.split(delimiter);
  const candidates = [
    ...(given === undefined ? [] : [given]),
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...usual,
  ];
  return candidates.find((path) => existsSync(path));
};
