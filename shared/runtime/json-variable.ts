import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { reasonOf } from '../core/errors.ts';

type Issues = {
  readonly issues: { push(issue: { code: 'custom'; message: string; input: string }): unknown };
};

const parse = (text: string, { issues }: Issues): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    issues.push({ code: 'custom', message: 'must be JSON', input: text });
    return z.NEVER;
  }
};

const read = (path: string, { issues }: Issues): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `must name a file that can be read: ${reasonOf(cause)}`;
    issues.push({ code: 'custom', message, input: path });
    return z.NEVER;
  }
};

/** No JSON of an object or a list ends so. */
const fileEnding = '.json';

/**
 * An environment variable that names a file with JSON, for values that are too large for the environment. A relative path is relative to
 * the function's code, which is the working directory in Lambda.
 */
export const jsonFile = z.pipe(z.pipe(z.string(), z.transform(read)), z.transform(parse));

/** An environment variable that holds JSON, or names a file `….json` with it: for values that may become too large for the environment. */
export const json = z.pipe(
  z.pipe(
    z.string(),
    z.transform((text, context) => (text.endsWith(fileEnding) ? read(text, context) : text)),
  ),
  z.transform(parse),
);
