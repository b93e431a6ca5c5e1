import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import * as z from 'zod';
import type { ConsolePage } from '../functions/provider-api/env.ts';
import { SettingsError } from '../shared/core/errors.ts';
import { projectFolder } from './project-folder.ts';

/** What `bundleConsole` (infra/bundle.ts) writes. */
export const consoleBundle = `${projectFolder}dist/console/page.json`;

const Built = z.object({ script: z.string(), style: z.string() });
export type BuiltConsole = z.infer<typeof Built>;

/** @see https://www.w3.org/TR/CSP3/#grammardef-hash-source */
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const policyOf = ({ script, style }: BuiltConsole, origins: readonly string[]): string =>
  [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    ['connect-src', "'self'", ...origins].join(' '),
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/**
 * The page of the console, compressed, with its policy. `bundleConsole` must have run.
 * `controlUrl`: the URL of a laptop's control server, which the page then asks for a token, so that nobody has to log in there.
 * @throws SettingsError where the bundle is missing.
 */
export const consolePage = ({ controlUrl }: { readonly controlUrl?: string } = {}): ConsolePage => {
  const built = Built.parse(JSON.parse(readBundle()));
  const control = controlUrl === undefined ? '' : `<meta name="control" content="${controlUrl}">`;
  const html = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>EC2 Service Provider</title><link rel="icon" href="data:,">${control}`,
    `<style>${built.style}</style></head><body><div id="app"></div>`,
    `<script type="module">${built.script}</script></body></html>`,
  ].join('');
  const brotli = brotliCompressSync(html, {
    params: {
      // The best takes 0.3 s, which a laptop's start need not wait for.
      [constants.BROTLI_PARAM_QUALITY]: controlUrl === undefined ? constants.BROTLI_MAX_QUALITY : 5,
      [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(html),
    },
  });
  const origins = controlUrl === undefined ? [] : [new URL(controlUrl).origin];
  return { brotli: brotli.toString('base64'), policy: policyOf(built, origins) };
};

const readBundle = (): string => {
  try {
    return readFileSync(consoleBundle, 'utf8');
  } catch {
    throw new SettingsError('the console is not bundled; run npm run bundle');
  }
};
