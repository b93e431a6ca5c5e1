import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  DescribeOrganizationCommand,
  OrganizationsClient,
  paginateListAccounts,
  paginateListAccountsForParent,
  paginateListOrganizationalUnitsForParent,
} from '@aws-sdk/client-organizations';
import * as z from 'zod/mini';
import { reasonOf } from '../../../shared/core/errors.ts';
import { AccountAlias } from '../../../shared/runtime/accounts.ts';
import type { Action, Context } from '../context.ts';
import { Fields } from '../output.ts';
import { CommandError, UsageError } from '../terminal.ts';

const Options = z.object({
  organizationalUnit: z.optional(z.array(z.string())),
  regions: z.optional(z.string()),
  except: z.optional(z.array(z.string())),
  write: z.optional(z.boolean()),
});

type Found = { readonly id: string; readonly name: string };

/** What is read and changed of the settings; the rest stays as it is. */
const Settings = z.looseObject({
  homeRegion: z.optional(z.string()),
  accounts: z._default(z.record(z.string(), z.looseObject({ id: z.string() })), {}),
  organization: z.optional(Fields),
});

/**
 * Adds the active accounts of the organization, or of its organizational units, to the settings: each with the regions that are given, to be
 * reported only. Accounts that the settings have, by their id, stay as they are.
 */
export const importAccounts: Action = async (context, { options }) => {
  const { organizationalUnit, regions, except = [], write } = Options.parse(options);
  const path = context.configuration.settingsPath();
  if (write && path === undefined)
    throw new UsageError('--write needs the settings: settings.json in this folder, or --settings FILE.');
  const settings = Settings.parse(path === undefined ? {} : JSON.parse(await readFile(path, 'utf8')));
  const streamingRegions = regions?.split(',') ?? [settings.homeRegion ?? 'us-east-1'];
  const { organizationId, accounts } = await context.talk.during('Reading the organization', () =>
    readOrganization(context, organizationalUnit),
  );
  const known = new Set([...Object.values(settings.accounts).map(({ id }) => id), ...except]);
  const added: Record<string, { id: string; streamingRegions: string[] }> = {};
  for (const { id, name } of accounts.filter((one) => !known.has(one.id)))
    added[aliasOf(name, id, { ...settings.accounts, ...added })] = { id, streamingRegions };
  const merged = {
    ...settings,
    organization: settings.organization ?? { id: organizationId },
    accounts: { ...settings.accounts, ...added },
  };
  const { print, say } = context.talk;
  const count = Object.keys(added).length;
  if (write && path !== undefined) {
    await writeFile(resolve(path), `${JSON.stringify(merged, undefined, 2)}\n`);
    say(
      `Added ${count} accounts to ${path}. Next: ec2sp deploy, then the accounts' templates (docs/accounts.md).`,
    );
    return undefined;
  }
  print(`${JSON.stringify({ organization: merged.organization, accounts: added }, undefined, 2)}\n`);
  say(`${count} accounts would be added. Nothing was written; --write adds them to the settings.`);
  return undefined;
};

/** Letters and digits of the name, in lower case; where another account has that alias, with the end of the id. */
const aliasOf = (name: string, id: string, taken: Readonly<Record<string, unknown>>): string => {
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const begun = /^[a-z]/.test(letters) ? letters : `a${letters}`;
  const candidates = [begun.slice(0, 16), `${begun.slice(0, 12)}${id.slice(-4)}`, `a${id}`];
  const alias = candidates.find((one) => AccountAlias.safeParse(one).success && !Object.hasOwn(taken, one));
  return alias ?? `a${id}`;
};

const readOrganization = async ({ terminal }: Context, units: readonly string[] | undefined) => {
  const client = new OrganizationsClient({ region: 'us-east-1' }); // a global service
  try {
    const { Organization } = await client.send(new DescribeOrganizationCommand());
    if (Organization?.Id === undefined) throw new Error('the account is in no organization');
    const management = Organization.MasterAccountId;
    const accounts = new Map<string, Found>();
    for await (const one of units === undefined ? allOf(client) : belowOf(client, units)) {
      terminal.interrupted.throwIfAborted();
      if (one.id !== management) accounts.set(one.id, one);
    }
    return { organizationId: Organization.Id, accounts: [...accounts.values()] };
  } catch (cause) {
    throw new CommandError(
      `The accounts of the organization cannot be read: ${reasonOf(cause).replace(/\.?$/, '.')} The management account may read them, and delegated administrators.`,
      { cause },
    );
  }
};

type Listed = { Id?: string | undefined; Name?: string | undefined; State?: string | undefined };

const activeOf = (accounts: readonly Listed[] = []): Found[] =>
  accounts.flatMap(({ Id: id, Name: name, State: state }) =>
    id !== undefined && state === 'ACTIVE' ? [{ id, name: name ?? id }] : [],
  );

async function* allOf(client: OrganizationsClient): AsyncGenerator<Found> {
  for await (const { Accounts } of paginateListAccounts({ client }, {})) yield* activeOf(Accounts);
}

/** The accounts in organizational units, and in all units in these. */
async function* belowOf(client: OrganizationsClient, units: readonly string[]): AsyncGenerator<Found> {
  for (const ParentId of units) {
    for await (const { Accounts } of paginateListAccountsForParent({ client }, { ParentId }))
      yield* activeOf(Accounts);
    for await (const page of paginateListOrganizationalUnitsForParent({ client }, { ParentId }))
      yield* belowOf(client, page.OrganizationalUnits?.flatMap(({ Id }) => Id ?? []) ?? []);
  }
}
