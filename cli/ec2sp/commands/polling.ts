import * as z from 'zod/mini';
import { ServiceType } from '../../../shared/core/kind.ts';
import { listingIn } from '../../../shared/core/target.ts';
import { type PolledRegion, PollingReport } from '../../../shared/wire/polling.ts';
import type { Action, Context } from '../context.ts';
import { type Column, document, table } from '../output.ts';
import { CommandError, exitCodes, UsageError } from '../terminal.ts';

/** Invokes the poller. */
const poller = async ({ configuration }: Context) => {
  const { functionsOf } = await import('../aws.ts');
  const invoke = functionsOf(await configuration.deployment(), await configuration.timeoutMs());
  return (request: object) => invoke('poller', request);
};

type Poller = Awaited<ReturnType<typeof poller>>;

const isOfTarget = ({ region }: PolledRegion, target: string | undefined): boolean =>
  target === undefined || listingIn(region).target === target;

/** The listings of service types. Those of the collections that only the inventory has cannot be republished, and have no breaker. */
const isOfServiceType = ({ region }: PolledRegion): boolean =>
  ServiceType.safeParse(listingIn(region).listed).success;

const reportOf = async ({ talk }: Context, ask: Poller): Promise<PollingReport> =>
  PollingReport.parse(await talk.during('Asking the poller', () => ask({ do: 'regions' })));

const columns: readonly Column<PolledRegion>[] = [
  ['TARGET', ({ region }) => listingIn(region).target],
  ['LISTS', ({ region }) => listingIn(region).listed],
  ['LAST LISTED', ({ lastListedAt }) => lastListedAt ?? 'never'],
  ['EVERY', ({ intervalSeconds }) => `${intervalSeconds} s`],
  ['OURS', ({ instances }) => instances],
  ['BREAKER SINCE', ({ breakerSince }) => breakerSince],
  ['REPUBLISHING', ({ republishWanted }) => (republishWanted ? 'yes' : '')],
];

const print = async ({ talk, configuration }: Context, regions: readonly PolledRegion[]): Promise<void> => {
  const format = await configuration.format();
  talk.print(format === 'table' ? table(columns, regions) : await document(format, { results: regions }));
};

/** The listings of `--target`, or of all targets. */
const wantedListings = async (context: Context): Promise<readonly PolledRegion[]> => {
  const { regions } = await reportOf(context, await poller(context));
  const { target } = context.configuration;
  if (target !== undefined) ofTarget(regions, target); // refuses one that is not polled
  return regions.filter((one) => isOfTarget(one, target));
};

const TargetsOptions = z.object({ all: z.optional(z.boolean()) });

/** How polling stands in all targets. */
export const targets: Action = async (context, { options }) => {
  const { all } = TargetsOptions.parse(options);
  const listings = await wantedListings(context);
  await print(context, all ? listings : listings.filter(isOfServiceType));
  return undefined;
};

/** Prints the tripped breakers. */
export const showBreakers: Action = async (context) => {
  const tripped = (await wantedListings(context)).filter(({ breakerSince }) => breakerSince !== undefined);
  await print(context, tripped);
  const { target = 'every target' } = context.configuration;
  context.talk.say(
    tripped.length === 0
      ? `No breaker has tripped: deletions are reported in ${target}.`
      : 'Release one with: ec2sp breaker release TARGET (docs/runbook.md, poller-breaker)',
  );
  return undefined;
};

const Released = z.object({ released: z.boolean() });

export const releaseBreaker: Action = async (context, { args: [target = ''] }) => {
  const ask = await poller(context);
  const listings = await listingsOf(context, ask, target);
  const tripped = listings.filter(({ breakerSince }) => breakerSince !== undefined);
  const released: string[] = [];
  for (const { region } of tripped)
    if (Released.parse(await ask({ do: 'release', region })).released) released.push(region);
  if (released.length === 0)
    throw new CommandError(`No breaker of ${target} has tripped; nothing was released.`);
  context.talk.say(
    `Released: ${released.join(', ')}. The next listing, within five minutes, asks AWS for each missing resource by its id.`,
  );
  return undefined;
};

const RepublishOptions = z.object({ all: z.optional(z.boolean()) });

/** Has every status of targets published again. */
export const republish: Action = async (context, { args, options }) => {
  const { all } = RepublishOptions.parse(options);
  if ((args.length === 0) !== (all === true))
    throw new UsageError('Name one or more targets, or give --all. ec2sp targets shows which there are.');
  const ask = await poller(context);
  const { regions } = await reportOf(context, ask);
  const listings = all
    ? regions.filter(isOfServiceType)
    : args.flatMap((target) => ofTarget(regions, target));
  await context.talk.during('Requesting the republication', async () => {
    for (const { region } of listings) await ask({ do: 'republish', region });
  });
  context.talk.say(
    `Requested: ${listings.map(({ region }) => region).join(', ')}. The next listing of each, within five minutes, publishes every status again. It is complete when ec2sp targets no longer shows it.`,
  );
  return undefined;
};

const listingsOf = async (context: Context, ask: Poller, target: string): Promise<readonly PolledRegion[]> =>
  ofTarget((await reportOf(context, ask)).regions, target);

/** A target's listings, or the one that is named. */
const ofTarget = (regions: readonly PolledRegion[], target: string): readonly PolledRegion[] => {
  const served = regions.filter(isOfServiceType);
  const found = served.filter((one) => one.region === target || isOfTarget(one, target));
  if (found.length > 0) return found;
  const known = [...new Set(served.map(({ region }) => listingIn(region).target))].join(', ');
  throw new CommandError(`${target} is not polled; expected one of ${known}.`, {
    exitCode: exitCodes.notFound,
  });
};
