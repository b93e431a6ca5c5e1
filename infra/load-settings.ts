import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type * as z from 'zod';
import { reasonOf, SettingsError } from '../shared/domain/errors.ts';
import { Settings } from './settings.ts';
import { contradictions } from './settings-contradictions.ts';

/** The two CDK context keys that give settings: themselves (JSON, or an object in cdk.json), or the path of their file. */
export type SettingsContext = { readonly dcm?: unknown; readonly settings?: unknown };

/** The settings, and whether they are only the example: enough to synthesize, not to deploy. */
export type LoadedSettings = { readonly settings: Settings; readonly areExample: boolean };

const exampleFile = 'infra/settings.example.json';

/**
 * Settings come from the context key `dcm`, else from the file that the context key `settings` names, else from `settings.json`, else
 * they are the example. Paths are relative to `folder`, where cdk.json is.
 * @throws SettingsError
 */
export const loadSettings = (context: SettingsContext, folder: string): LoadedSettings => {
  if (context.dcm !== undefined && context.settings !== undefined)
    throw new SettingsError('Give the settings as context "dcm" or as context "settings", not as both.');
  if (context.dcm !== undefined)
    return { settings: parseSettings(jsonOf(context.dcm, 'Context "dcm"')), areExample: false };

  const file = String(context.settings ?? ownFile(folder));
  const content = jsonOf(read(resolve(folder, file)), `Settings file ${file}`);
  return { settings: parseSettings(content), areExample: file === exampleFile };
};

const ownFile = (folder: string) =>
  existsSync(resolve(folder, 'settings.json')) ? 'settings.json' : exampleFile;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SettingsError(`Settings file ${path} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
};

const jsonOf = (given: unknown, whose: string): unknown => {
  if (typeof given !== 'string') return given;
  try {
    return JSON.parse(given);
  } catch (cause) {
    throw new SettingsError(`${whose} is not JSON: ${reasonOf(cause)}.`, { cause });
  }
};

const ConsistentSettings = Settings.superRefine((settings, context) => {
  for (const [path, message] of contradictions(settings))
    context.addIssue({ code: 'custom', path: path.split('.'), message });
});

/** @throws SettingsError naming the first setting that is wrong. */
export const parseSettings = (given: unknown): Settings => {
  const parsed = ConsistentSettings.safeParse(given, { error: must });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SettingsError(issue ? sentence(issue) : 'The settings are wrong.', { cause: parsed.error });
};

/** What is said of a setting whose schema does not say it better. */
const must = (issue: z.core.$ZodRawIssue): string | undefined =>
  issue.code === 'invalid_type' ? `must be of type ${issue.expected}` : undefined;

const sentence = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'unrecognized_keys')
    return `Setting "${shown([...issue.path, issue.keys[0] ?? ''])}" is unknown; docs/configuration.md lists those that exist.`;
  const setting = issue.path.length > 0 ? `Setting "${shown(issue.path)}"` : 'What the settings are';
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? '') : issue.message;
  return `${setting} ${message.startsWith('must') ? message : `is wrong: ${message}`}.`;
};

/** A setting's place as docs/configuration.md writes it. */
const shown = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1);
