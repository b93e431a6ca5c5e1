import { reasonOf } from '../../../shared/core/errors.ts';
import { findingsOf, lineOf, onAws, onThisMachine } from '../../doctor/deployment.ts';
import type { Action } from '../context.ts';
import { document } from '../output.ts';
import { CommandError, exitCodes, UsageError } from '../terminal.ts';

/** The same examination as `npm run doctor`. */
export const doctor: Action = async ({ terminal, talk, configuration }) => {
  const { lambdaUrl } = await configuration.deployment();
  const settings = configuration.settingsPath();
  if (lambdaUrl === undefined && settings === undefined)
    throw new UsageError(
      'What is expected stands in the settings: give --settings FILE, or run this in the folder of settings.json.',
    );
  const deployment =
    lambdaUrl === undefined ? onAws(settings, terminal.folder) : onThisMachine(terminal.folder);
  const findings = await talk
    .during('Examining the deployment', () => findingsOf(deployment, configuration.target))
    .catch((cause) => {
      throw new CommandError(`The deployment could not be examined: ${reasonOf(cause)}`, { cause });
    });
  const format = await configuration.format();
  if (format !== 'table') talk.print(await document(format, { results: findings }));
  else for (const finding of findings) talk.print(lineOf(finding));
  return findings.some(({ isWrong }) => isWrong) ? exitCodes.unhealthy : undefined;
};
