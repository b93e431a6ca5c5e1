import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { reasonOf } from '../../../shared/core/errors.ts';
import { nameOf, type ServiceType } from '../../../shared/core/kind.ts';
import { Problem } from '../../../shared/http/problem.ts';
import { call, contentOf } from '../api.ts';
import type { Api } from '../configuration.ts';
import type { Action, Context } from '../context.ts';
import { type Column, document, Fields, table } from '../output.ts';
import { CommandError, exitCodes, readInput, UsageError } from '../terminal.ts';

const collectionOf = (serviceType: ServiceType): string => `${serviceType}s`;

const Resource = z.looseObject({
  ...{ id: z.string(), status: z.string(), status_message: z._default(z.string(), '') },
  create_time: z.string(),
});
type Resource = z.infer<typeof Resource>;

const Page = z.object({
  results: z.array(Resource),
  next_page_token: z.optional(z.string()),
});

const status: Column<Fields> = ['STATUS', (one) => one.status];
const updated: Column<Fields> = ['UPDATED', ({ update_time: time }) => time];
const region: Column<Fields> = ['REGION', (one) => one.region];
const id: Column<Fields> = ['ID', (one) => one.id];
const address: Column<Fields> = [
  'ADDRESS',
  ({ public_ip_address: publicOne, private_ip_address: privateOne }) => publicOne ?? privateOne,
];

const columns: Record<ServiceType, readonly Column<Fields>[]> = {
  vm: [
    ...[id, status, region],
    ['INSTANCE', (one) => one.instance_id],
    ['TYPE', (one) => one.instance_type],
    ...[address, updated],
  ],
  container: [
    ...[id, status, region],
    [
      'TASK',
      ({ task_arn: arn }) =>
        String(arn ?? '')
          .split('/')
          .at(-1),
    ],
    ...[address, updated],
  ],
  cluster: [
    ...[id, status, region],
    ['VERSION', (one) => one.version],
    ['ENDPOINT', (one) => one.api_endpoint],
    updated,
  ],
};

/** The largest page that the API has. */
const largestPage = '100';

const ListOptions = z.object({ pageSize: z.optional(z.string()), pageToken: z.optional(z.string()) });

/** All pages; with `--page-size` or `--page-token`, one. */
export const list =
  (serviceType: ServiceType): Action =>
  async (context, { options }) => {
    const { pageSize, pageToken } = ListOptions.parse(options);
    const format = await context.configuration.format();
    const api = await context.configuration.providerApi();
    const path = `api/v1alpha1/${collectionOf(serviceType)}`;
    const results: Resource[] = [];
    let next = pageToken;
    do {
      const query = { max_page_size: pageSize ?? largestPage, page_token: next };
      const page = contentOf(Page, await call(context, api, { path, query }));
      results.push(...page.results);
      next = page.next_page_token;
    } while (next !== undefined && pageSize === undefined && pageToken === undefined);
    const { print, say } = context.talk;
    if (format !== 'table') {
      const whole = { results, ...(next && { next_page_token: next }) };
      print(await document(format, whole, ['results']));
      return undefined;
    }
    print(table(columns[serviceType], results, tint(context)));
    if (next) {
      const { target } = context.configuration;
      const flags = Object.entries({ target, 'page-size': pageSize, 'page-token': next });
      const given = flags.flatMap(([flag, value]) => (value === undefined ? [] : ` --${flag} ${value}`));
      say(`\nNext page: ec2sp ${serviceType} list${given.join('')}`);
    }
    return undefined;
  };

/** Colours statuses, on a terminal. */
export const tint = ({ talk: { colors } }: Context) => {
  const paints: Record<string, (text: string) => string> = {
    ...{ RUNNING: colors.green, ACTIVE: colors.green, SUCCEEDED: colors.green, FAILED: colors.red },
    ...{ STOPPED: colors.gray, DELETED: colors.gray, UNHEALTHY: colors.red, ERROR: colors.red },
  };
  return (text: string, heading: string): string =>
    heading === 'STATUS' ? (paints[text.trim()] ?? colors.yellow)(text) : text;
};

/** @throws UsageError where a URL would lead to another path */
const pathOf = (serviceType: ServiceType, one: string): string => {
  if (/^\.{0,2}$/.test(one)) throw new UsageError(`The id is "${one}": expected DCM's id`);
  return `api/v1alpha1/${collectionOf(serviceType)}/${encodeURIComponent(one)}`;
};

const fetchResource = async (
  context: Context,
  api: Api,
  { serviceType, id: one }: { readonly serviceType: ServiceType; readonly id: string },
): Promise<Resource> => contentOf(Resource, await call(context, api, { path: pathOf(serviceType, one) }));

const printResource = async (context: Context, serviceType: ServiceType, one: Resource): Promise<void> => {
  const format = await context.configuration.format();
  context.talk.print(
    format === 'table' ? table(columns[serviceType], [one], tint(context)) : await document(format, one),
  );
};

export const get =
  (serviceType: ServiceType): Action =>
  async (context, { args: [one = ''] }) => {
    const api = await context.configuration.providerApi();
    await printResource(context, serviceType, await fetchResource(context, api, { serviceType, id: one }));
    return undefined;
  };

const Events = z.object({
  results: z.array(z.object({ status: z.string(), message: z.string(), update_time: z.string() })),
});

export const events =
  (serviceType: ServiceType): Action =>
  async (context, { args: [one = ''] }) => {
    const api = await context.configuration.providerApi();
    const path = `${pathOf(serviceType, one)}/events`;
    const found = contentOf(Events, await call(context, api, { path }));
    const format = await context.configuration.format();
    const columnsOfEvents: Column<(typeof found.results)[number]>[] = [
      ['TIME', ({ update_time: time }) => time],
      ['STATUS', (event) => event.status],
      ['MESSAGE', ({ message }) => message],
    ];
    context.talk.print(
      format === 'table'
        ? table(columnsOfEvents, found.results, tint(context))
        : await document(format, found),
    );
    return undefined;
  };

const CreateOptions = z.object({
  file: z.string(),
  id: z.optional(z.string()),
  dryRun: z.optional(z.boolean()),
  wait: z.optional(z.boolean()),
});

export const create =
  (serviceType: ServiceType): Action =>
  async (context, { options }) => {
    const { file, id: given, dryRun, wait } = CreateOptions.parse(options);
    const spec = await readSpec(context, file);
    if (dryRun) return validateSpec(context, serviceType, spec);
    const api = await context.configuration.providerApi();
    const dcmId = given ?? randomUUID();
    const path = `api/v1alpha1/${collectionOf(serviceType)}`;
    const answer = await call(context, api, {
      ...{ method: 'POST', path, query: { id: dcmId }, body: { spec } },
    });
    const created = contentOf(Resource, answer);
    // With the time, since the answer is the same where an earlier create had the id.
    context.talk.say(`Created ${nameOf(serviceType)} ${created.id} at ${created.create_time}.`);
    const last = wait ? await settled(context, api, { serviceType, created }) : created;
    await printResource(context, serviceType, last);
    if (!wait) context.talk.say(`Follow it with: ec2sp watch --id ${created.id}`);
    if (!wait || last.status !== 'FAILED') return undefined;
    context.talk.say(`The ${nameOf(serviceType)} ${last.id} is FAILED: ${last.status_message}`);
    return exitCodes.failed;
  };

/** CREATING is what the first proposal of DCM calls a cluster that is PROGRESSING. */
const isSettled = (one: string): boolean =>
  !['PENDING', 'PROVISIONING', 'PROGRESSING', 'CREATING'].includes(one);
const settlePollMs = 1_000;

type Created = { readonly serviceType: ServiceType; readonly created: Resource };

/** The resource once it is no longer being provisioned. Waits without limit, until Ctrl-C. */
const settled = (context: Context, api: Api, { serviceType, created }: Created): Promise<Resource> => {
  const signal = context.terminal.interrupted;
  const progress = (one: Resource) => `${one.id}: ${one.status}, ${one.status_message}`;
  return context.talk.during(progress(created), async (update) => {
    let one = created;
    while (!isSettled(one.status)) {
      await sleep(settlePollMs, undefined, { signal });
      one = await fetchResource(context, api, { serviceType, id: created.id }).catch((error: unknown) => {
        if (isRetryable(error)) return one;
        throw error;
      });
      update(progress(one));
    }
    return one;
  });
};

const isRetryable = (error: unknown): boolean =>
  error instanceof CommandError && Problem.safeParse(error.problem).data?.retryable === true;

/** A spec in JSON or YAML; the file may have it as the field `spec`. */
const readSpec = async ({ terminal }: Context, file: string): Promise<unknown> => {
  const read = file === '-' ? readInput(terminal.stdin) : readFile(resolve(terminal.folder, file), 'utf8');
  const { parse } = await import('yaml');
  try {
    const content = Fields.parse(parse(await read));
    return content.spec ?? content;
  } catch (cause) {
    throw new UsageError(
      `${file === '-' ? 'Standard input' : file} has no spec: expected an object in JSON or YAML. ${reasonOf(cause)}`,
      { cause },
    );
  }
};

const ValidateOptions = z.object({ file: z.string() });

export const validate =
  (serviceType: ServiceType): Action =>
  async (context, { options }) =>
    validateSpec(context, serviceType, await readSpec(context, ValidateOptions.parse(options).file));

/** Prints what a create would launch, as YAML where no other format is asked for. */
const validateSpec = async (
  context: Context,
  serviceType: ServiceType,
  spec: unknown,
): Promise<undefined> => {
  const api = await context.configuration.providerApi();
  const path = `api/v1alpha1/${collectionOf(serviceType)}:validate`;
  const launch = contentOf(Fields, await call(context, api, { method: 'POST', path, body: { spec } }));
  const format = await context.configuration.format();
  context.talk.print(await document(format === 'table' ? 'yaml' : format, launch));
  context.talk.say('Nothing was created. A create with this spec would launch the above.');
};

const DeleteOptions = z.object({ yes: z.optional(z.boolean()) });

export const remove =
  (serviceType: ServiceType): Action =>
  async (context, { args: ids, options }) => {
    const { yes } = DeleteOptions.parse(options);
    const api = await context.configuration.providerApi();
    const found: Resource[] = [];
    for (const one of ids)
      found.push(
        await fetchResource(context, api, { serviceType, id: one }).catch((error: unknown) => {
          throw withUntouched(error, ids);
        }),
      );
    if (!yes) await confirm(context, serviceType, found);
    for (const [index, one] of found.entries()) {
      await call(context, api, { method: 'DELETE', path: pathOf(serviceType, one.id) }).catch(
        (error: unknown) => {
          throw withUntouched(error, ids.slice(index));
        },
      );
      context.talk.say(`Deleting ${nameOf(serviceType)} ${one.id}, which was ${one.status}.`);
    }
    context.talk.say(`Follow it with: ec2sp watch --type ${serviceType}`);
    return undefined;
  };

/** The failure of one of several, which says what was not deleted because of it. */
const withUntouched = (error: unknown, ids: readonly string[]): unknown => {
  if (!(error instanceof CommandError) || ids.length < 2) return error;
  const { message, exitCode, problem } = error;
  return new CommandError(`${message} Not deleted: ${ids.join(', ')}.`, { exitCode, problem, cause: error });
};

/** Where it is about several, y is too easily pressed: the id of the first must be typed. */
const confirm = async (
  { talk }: Context,
  serviceType: ServiceType,
  found: readonly Resource[],
): Promise<void> => {
  if (!talk.mayAsk)
    throw new UsageError('A deletion needs --yes where nobody can be asked. Nothing was deleted.');
  const [first] = found;
  if (first === undefined) return;
  const isOne = found.length === 1;
  const answer = await talk.ask(
    isOne
      ? `Delete ${nameOf(serviceType)} ${first.id}, which is ${first.status}? [y/N] `
      : `Type ${first.id} to delete it and ${found.length - 1} more ${nameOf(serviceType)}s: `,
  );
  const isConfirmed = isOne ? /^y(es)?$/i.test(answer) : answer === first.id;
  if (!isConfirmed) throw new CommandError('Nothing was deleted.');
};

/** Starts, stops or reboots a VM. */
export const change =
  (action: 'start' | 'stop' | 'reboot'): Action =>
  async (context, { args: [one = ''] }) => {
    const api = await context.configuration.providerApi();
    const path = `${pathOf('vm', one)}:${action}`;
    const changed = contentOf(Resource, await call(context, api, { method: 'POST', path }));
    context.talk.say(
      `EC2 accepted the ${action} of VM ${changed.id}. Follow it with: ec2sp watch --id ${one}`,
    );
    await printResource(context, 'vm', changed);
    return undefined;
  };
