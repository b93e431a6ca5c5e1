import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import { AccountAlias } from '../../shared/runtime/accounts.ts';
import { supersededAgentSettings } from './agent.ts';
import { contradictions } from './contradictions.ts';
import { didYouMean } from './setting-kinds.ts';
import { Settings } from './settings.ts';

/**
 * The CDK context keys about settings: `dcm` has the settings (JSON, or an object in cdk.json), `settings` the path of their file; `example`
 * allows the example if there are no settings, for `npm run synth`.
 */
export type SettingsContext = {
  readonly dcm?: unknown;
  readonly settings?: unknown;
  readonly example?: unknown;
  /** Id of the account of the AWS credentials, which the CDK's command line gives. */
  readonly homeAccount?: string | undefined;
};

/** The settings, and whether they are only the example: enough to synthesize, not to deploy. */
export type LoadedSettings = { readonly settings: Settings; readonly areExample: boolean };

const exampleFile = 'infra/settings.example.json';

/**
 * Settings come from the context key `dcm`, else from the file that the context key `settings` names, else from `settings.json`. Without any
 * of these, the example is used only with the context key `example`, so that it is never deployed by mistake.
 * Paths are relative to `folder`, where cdk.json is.
 * @throws SettingsError
 */
export const loadSettings = (context: SettingsContext, folder: string): LoadedSettings => {
  if (context.dcm !== undefined && context.settings !== undefined)
    throw new SettingsError('Give the settings as context "dcm" or as context "settings", not as both.');
  if (context.dcm !== undefined)
    return {
      settings: parseSettings(jsonOf(context.dcm, 'Context "dcm"'), context.homeAccount),
      areExample: false,
    };

  const file = String(context.settings ?? ownFile(folder, context.example !== undefined));
  const content = jsonOf(read(resolve(folder, file)), `Settings file ${file}`);
  return { settings: parseSettings(content, context.homeAccount), areExample: file === exampleFile };
};

const ownFile = (folder: string, exampleIsAllowed: boolean): string => {
  if (existsSync(resolve(folder, 'settings.json'))) return 'settings.json';
  if (exampleIsAllowed) return exampleFile;
  throw new SettingsError(
    `There are no settings: write settings.json, or name another file with -c settings=FILE (docs/deploy.md; ${exampleFile} is an example).`,
  );
};

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

const consistentSettings = (homeAccount: string | undefined) =>
  Settings.superRefine((settings, context) => {
    for (const [path, message] of contradictions(settings, homeAccount))
      context.addIssue({ code: 'custom', path: path.split('.'), message });
  });

/**
 * `homeAccount`: id of the account that the stacks are deployed to, where it is known.
 * @throws SettingsError that says what to write instead of removed settings, or else names an unknown setting, or else the first that is
 * missing or wrong.
 */
export const parseSettings = (given: unknown, homeAccount?: string): Settings => {
  const superseded = supersededAgentSettings(given);
  if (superseded !== undefined) throw new SettingsError(superseded);
  refuseProtoAlias(given);
  const parsed = consistentSettings(homeAccount).safeParse(given, { error: must });
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // A misspelt key also makes the right one missing: the misspelling is the cause.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  throw new SettingsError(issue ? sentence(issue, given) : 'The settings are wrong.', {
    cause: parsed.error,
  });
};

/** Zod drops this key of a record without a word. */
const refuseProtoAlias = (given: unknown): void => {
  const accounts = valueAt(given, ['accounts']);
  if (typeof accounts !== 'object' || accounts === null || !Object.hasOwn(accounts, '__proto__')) return;
  const { error } = AccountAlias.safeParse('__proto__');
  throw new SettingsError(`Setting "accounts.__proto__" is wrong: ${error?.issues[0]?.message}.`);
};

/** The message for a setting whose schema has none of its own. */
const must = (issue: z.core.$ZodRawIssue): string | undefined => {
  if (issue.code !== 'invalid_type') return undefined;
  const kinds: Record<string, string> = { object: 'an object', array: 'a list', string: 'a text' };
  return `must be ${kinds[issue.expected] ?? `of type ${issue.expected}`}`;
};

const sentence = (issue: z.core.$ZodIssue, given: unknown): string => {
  if (issue.code === 'unrecognized_keys') return unknownKey(issue.path, issue.keys[0] ?? '');
  const setting = issue.path.length > 0 ? `Setting "${shown(issue.path)}"` : 'The whole of the settings';
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? '') : issue.message;
  if (issue.code === 'invalid_type' && valueAt(given, issue.path) === undefined)
    return `${setting} is missing: it ${message}.`;
  return ended(`${setting} ${message.startsWith('must') ? message : `is wrong: ${message}`}`);
};

const unknownKey = (path: readonly PropertyKey[], key: string): string => {
  const hint = didYouMean(key, keysAt(path));
  return ended(
    `Setting "${shown([...path, key])}" is unknown${hint === '' ? '; docs/configuration.md lists those that exist' : hint}`,
  );
};

const ended = (words: string): string => (words.endsWith('?') ? words : `${words}.`);

const valueAt = (given: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    given,
  );

/** The keys that exist at a path in the settings. */
const keysAt = (path: readonly PropertyKey[]): string[] => {
  const schema = path.reduce<JsonSchema>(within, z.toJSONSchema(Settings, { io: 'input' }));
  return Object.keys(schema.properties ?? {});
};

type JsonSchema = z.core.JSONSchema.BaseSchema;

const within = ({ properties, additionalProperties, items }: JsonSchema, key: PropertyKey): JsonSchema => {
  const inner = properties?.[String(key)] ?? additionalProperties ?? items;
  return typeof inner === 'object' && !Array.isArray(inner) ? inner : {};
};

/** The path of a setting as in docs/configuration.md. */
const shown = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1);
