import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../shared/core/errors.ts';
import type { Console } from '../console.ts';
import { controlPlaneClient } from '../control-plane-client.ts';
import { olderDcmUser } from '../dcm-user.ts';
import { provider, type StackOptions } from '../options.ts';
import { providerApiClient } from '../provider-api-client.ts';
import { startStack } from '../stack.ts';
import { dcmStory } from './dcm-story.ts';
import { dwellMs } from './dwell.ts';

const longestMs = 120_000;

/** Plays one VM's life against a DCM that is not the stand-in, and checks DCM's rows on the way. Answers what went wrong. */
export const dcmDemo = async (options: StackOptions, show: Console): Promise<string[]> => {
  await using stack = await startStack({ ...options, dwellMs });
  show.ready(stack.endpoints);
  const stage = {
    dcm: olderDcmUser(controlPlaneClient(stack.endpoints.controlPlaneUrl), provider),
    providerApi: providerApiClient(stack.endpoints),
    say: show.scene,
  };
  const ending = new AbortController();
  const tooLong = sleep(longestMs, `the story took more than ${longestMs / 1000} s`, {
    signal: ending.signal,
  });
  const played = dcmStory(stage).then(() => undefined, reasonOf);
  const fault = await Promise.race([played, tooLong]);
  ending.abort();
  await tooLong.catch(() => {});
  show.line();
  if (fault !== undefined) show.bad(fault);
  else show.good("DCM's own rows followed the VM from its creation to its end");
  return fault === undefined ? [] : [fault];
};
