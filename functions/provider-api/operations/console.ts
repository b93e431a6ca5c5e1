import * as z from 'zod/mini';
import { NotFoundError } from '../../../shared/core/errors.ts';
import { changesOperation } from '../../../shared/http/changes.ts';
import { integerParameter, NoQuery, type Operation, operationsOf } from '../../../shared/http/operation.ts';
import { Overview } from '../../../shared/wire/overview.ts';
import { consolePath, overviewPath } from '../../../shared/wire/public-paths.ts';
import type { UseCases } from '../use-cases.ts';
import { idsOf } from './collection.ts';

const ids = idsOf({ serviceType: 'vm' });
const operation = operationsOf<UseCases>(ids);

const consoleOf = ({ console }: UseCases): NonNullable<UseCases['console']> => {
  if (console === undefined) throw new NotFoundError('this provider has no console');
  return console;
};

const mostRows = 2_000;

const getOverview = operation({
  operationId: 'getOverview',
  method: 'GET',
  path: overviewPath,
  isOfNoTarget: true,
  summary: 'Get an overview',
  description:
    'All targets that the credentials permit, with their listings, providers and inventory; the numbers of resources by status; and the resources that need attention, then those that changed last. Read on from `cursor` in the change feed: no change is missed between the two.',
  query: z.object({
    rows: z._default(
      integerParameter(0, mostRows).check(
        z.describe(
          `How many resources at most, 0 to ${mostRows}, 200 by default. With 0 neither resources nor counts are read.`,
        ),
      ),
      200,
    ),
  }),
  status: 200,
  answered: 'The overview.',
  answer: Overview,
  problems: [],
  run: (all, { query, permits }) => consoleOf(all).readOverview(query.rows, permits),
});

const readChanges = changesOperation<Pick<NonNullable<UseCases['console']>, 'readChanges'>>(ids);

/** The page, which anybody may load: it has no data. */
const getConsole = operation({
  operationId: 'getConsole',
  method: 'GET',
  path: consolePath,
  isOfNoTarget: true,
  isPublic: true,
  summary: 'Get the console',
  description:
    'One page of HTML that reads the overview and the change feed with the token that it asks for.',
  query: NoQuery,
  status: 200,
  answered: 'The page, as HTML.',
  answer: undefined,
  alsoAnsweredAs: ['text/html'],
  problems: [],
  run: async (all, { header }) => consoleOf(all).page(header('accept-encoding') ?? ''),
});

/** The operations of the console. */
export const consoleOperations: readonly Operation<UseCases>[] = [
  getConsole,
  getOverview,
  { ...readChanges, isOfNoTarget: true, run: (all, call) => readChanges.run(consoleOf(all), call) },
];
