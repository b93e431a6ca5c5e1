import { reasonOf } from '../../shared/domain/errors.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { ProviderRow } from './provider-rows.ts';
import type { Outcomes } from './register-rows.ts';
import type { StackRequest } from './request.ts';

type Parts = {
  readonly rows: () => Promise<readonly ProviderRow[]>;
  readonly register: (rows: readonly ProviderRow[]) => Promise<Outcomes>;
  readonly withdraw: (rowNames: readonly string[]) => Promise<void>;
  readonly log: Log;
};

/** For CDK's provider framework, which tells CloudFormation. */
export type StackAnswer = {
  readonly PhysicalResourceId: string;
  readonly Data: { readonly outcome: string };
};

/** CloudFormation refuses outputs that are longer than 1,024 bytes. */
const longestOutcome = 1000;

/**
 * Creates, updates and deletes the stack's custom resource, which always succeeds: what DCM did not take now, the schedule goes on
 * trying. `outcome` says how it went, for people who deploy.
 */
export const answerStack =
  ({ rows, register, withdraw, log }: Parts) =>
  async (request: StackRequest): Promise<StackAnswer> => {
    try {
      await withdraw(removedRows(request));
      return answer(request.RequestType === 'Delete' ? 'withdrawn' : outcomeOf(await register(await rows())));
    } catch (error) {
      log.error('the provider rows are not as the deployment wants them', { reason: reasonOf(error) });
      return answer(`not registered yet: ${reasonOf(error)}`);
    }
  };

/** One resource for ever: a new id would have CloudFormation delete the old one, and so the rows. */
const answer = (outcome: string): StackAnswer => ({
  PhysicalResourceId: 'dcm-provider-rows',
  Data: { outcome: outcome.slice(0, longestOutcome) },
});

const removedRows = (request: StackRequest): readonly string[] => {
  const { rowNames } = request.ResourceProperties;
  if (request.RequestType === 'Delete') return rowNames;
  if (request.RequestType === 'Create') return [];
  return request.OldResourceProperties.rowNames.filter((row) => !rowNames.includes(row));
};

const outcomeOf = (outcomes: Outcomes): string =>
  [...outcomes]
    .map(
      ([row, { outcome, detail }]) => `${row}: ${outcome}${outcome === 'registered' ? '' : ` (${detail})`}`,
    )
    .join('; ');
