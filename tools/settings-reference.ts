import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { Settings } from '../infra/settings/settings.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

const heading = `# Configuration

Generated from \`infra/settings/settings.ts\` by \`npx tsx tools/settings-reference.ts\`. [deploy.md](deploy.md#2-write-the-settings) says where
the settings are read from. Keys that are not listed here are refused. Without \`nats.vpc\`, the nats-bridge runs outside VPCs and reaches NATS over
the internet. Without \`provisioning\`, instances are reported and none is created; without \`containers\` or \`clusters\`, the deployment has nothing
of ECS or EKS. With any of the three, \`api\` must say who may create resources.

| setting | what it is | default |
|---|---|---|
`;

/** A table of every setting, in Markdown. */
export const settingsReference = (): string =>
  heading + rows(z.toJSONSchema(Settings, { io: 'input' })).join('');

/** The settings of the whole deployment, some of which an account has again. */
const { properties: outermost = {} } = z.toJSONSchema(Settings, { io: 'input' });

const rows = ({ properties = {}, required = [] }: JsonSchema, parent = ''): string[] =>
  Object.entries(properties).flatMap(([key, schema]) => {
    if (typeof schema === 'boolean') return [];
    const path = `${parent}${key}`;
    const same = outermost[key];
    if (parent !== '' && typeof same === 'object' && isSection(same) && isDeepStrictEqual(same, schema))
      return [`| \`${path}\` | The same settings as \`${key}\`, for this account alone. | – |\n`];
    if (schema.properties) return rows(schema, `${path}.`);
    const each = schema.additionalProperties;
    const inner =
      typeof each === 'object' &&
      each.properties &&
      !(parent !== '' && isDeepStrictEqual(each, outermost.agent))
        ? rows(each, `${path}.<key>.`)
        : [];
    return [
      `| \`${path}\` | ${schema.description} | ${defaultOf(schema, required.includes(key))} |\n`,
      ...inner,
    ];
  });

const isSection = ({ properties }: JsonSchema): boolean => properties !== undefined;

const defaultOf = (schema: JsonSchema, isRequired: boolean): string => {
  if (isRequired) return '*required*';
  return schema.default === undefined ? '–' : `\`${JSON.stringify(schema.default)}\``;
};

const page = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(page, settingsReference());
