import * as z from 'zod/mini';
import { call, contentOf } from '../api.ts';
import type { Api } from '../configuration.ts';
import type { Action, Context } from '../context.ts';
import type { Answer } from '../http.ts';
import { type Column, cell, document, Fields, table } from '../output.ts';
import { CommandError, UsageError } from '../terminal.ts';

const Page = z.object({
  count: z.int(),
  resources: z.array(Fields),
  listedAt: z.optional(z.string()),
  ageSeconds: z.optional(z.int()),
  next: z.optional(z.string()),
});
type Page = z.infer<typeof Page>;

/** The target whose inventory is read: `--target`, else the only one there is. */
const targetOf = async (context: Context, api: Api): Promise<string> => {
  const { target } = context.configuration;
  if (target !== undefined) return target;
  const all = contentOf(Page, await call(context, api, { path: 'targets', query: { detail: '0' } }));
  const [only, ...others] = all.resources.map(nameOfTarget);
  if (only !== undefined && others.length === 0) return only;
  throw new UsageError(
    `The inventory has several targets. Name one by --target: ${[only, ...others].join(', ')}`,
  );
};

/** From the path of a target: `/targets/eu-west-1`, `/targets/prod/eu-west-1`. */
const nameOfTarget = ({ selfLink }: Fields): string => String(selfLink ?? '').replace(/^\/targets\//, '');

/** The answer before the first complete listing has no content. */
const listed = ({ status, header, ...answer }: Answer): Answer => {
  if (status !== 206) return { status, header, ...answer };
  throw new CommandError(
    `Not listed completely yet (${header('x-reason') ?? 'unknown'}). Try again in ${header('retry-after') ?? '15'} s.`,
  );
};

const ofResources: readonly Column<Fields>[] = [
  ['NAME', ({ name }) => name],
  ['DISPLAY NAME', ({ displayName }) => displayName],
  ['STATE', ({ state }) => state],
  ['MANAGED', ({ managed }) => (managed === undefined ? '' : managed ? 'yes' : 'no')],
  ['DCM ID', ({ dcmInstanceId }) => dcmInstanceId],
  ['CHANGED', ({ changedAt }) => changedAt],
];

const ofTargets: readonly Column<Fields>[] = [
  ['TARGET', nameOfTarget],
  ['NAME', ({ name }) => name],
  ['NAMESPACE', ({ namespace }) => namespace],
];

export const listTargets: Action = async (context) => {
  const api = await context.configuration.inventory();
  const page = contentOf(Page, listed(await call(context, api, { path: 'targets' })));
  await print(context, ofTargets, page);
  return undefined;
};

const ListOptions = z.object({
  ...{ label: z.optional(z.array(z.string())), called: z.optional(z.string()) },
  ...{ unhealthy: z.optional(z.boolean()), limit: z.optional(z.string()), detail: z.optional(z.boolean()) },
});

/** All pages of one moment, or as many resources as `--limit` says. */
export const list: Action = async (context, { args: [collection = ''], options }) => {
  const given = ListOptions.parse(options);
  const api = await context.configuration.inventory();
  const target = await targetOf(context, api);
  const labels = (given.label ?? []).map((label): [string, string] => {
    const [, key = '', value = ''] = /^([^=]+)=(.*)$/.exec(label) ?? [];
    if (key === '') throw new UsageError(`--label is ${label}: expected KEY=VALUE`);
    return [`label.${key}`, value];
  });
  const query = {
    ...{ detail: given.detail ? undefined : '0', name: given.called, limit: given.limit },
    ...{ unhealthy: given.unhealthy ? 'true' : undefined, ...Object.fromEntries(labels) },
  };
  const first = contentOf(
    Page,
    listed(await call(context, api, { path: `targets/${target}/${collection}`, query })),
  );
  const resources = [...first.resources];
  let { next } = first;
  while (next !== undefined && given.limit === undefined) {
    const page = contentOf(Page, listed(await call(context, api, { path: next.replace(/^\//, '') })));
    resources.push(...page.resources);
    next = page.next;
  }
  await print(context, ofResources, { ...first, resources });
  return undefined;
};

const print = async (context: Context, columns: readonly Column<Fields>[], page: Page): Promise<void> => {
  const { count, resources, listedAt, ageSeconds } = page;
  const { print: write, say } = context.talk;
  const format = await context.configuration.format();
  if (format === 'table') write(table(columns, resources));
  else write(await document(format, { count, resources, listedAt, ageSeconds }, ['count', 'resources']));
  if (resources.length < count) say(`${resources.length} of ${count}; without --limit, all are listed.`);
  if (ageSeconds !== undefined) say(`Listed completely ${ageSeconds} s ago; changes since are included.`);
};

export const get: Action = async (context, { args: [collection = '', id = ''] }) => {
  const api = await context.configuration.inventory();
  const target = await targetOf(context, api);
  const path = `targets/${target}/${collection}/${encodeURIComponent(id)}`;
  const found = contentOf(Fields, listed(await call(context, api, { path })));
  const format = await context.configuration.format();
  context.talk.print(await document(format === 'table' ? 'yaml' : format, found));
  return undefined;
};

const LogsOptions = z.object({
  ...{ container: z.optional(z.string()), tail: z.optional(z.string()) },
});

const LogLines = z.array(z.string());

export const logs: Action = async (context, { args: [collection = '', id = ''], options }) => {
  const { container, tail } = LogsOptions.parse(options);
  const api = await context.configuration.inventory();
  const target = await targetOf(context, api);
  const path = `targets/${target}/${collection}/${encodeURIComponent(id)}/logs`;
  const query = { container, ...(tail !== undefined && { tail: 'true', limit: tail }) };
  const lines = contentOf(LogLines, listed(await call(context, api, { path, query })));
  for (const line of lines) context.talk.print(`${cell(line)}\n`);
  return undefined;
};
