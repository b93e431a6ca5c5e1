import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { tokensOf } from '../../shared/wire/api-tokens.ts';
import { canaryEvent } from '../../shared/wire/heartbeat.ts';

type Parts = {
  /** The whole API, as API Gateway reaches it. */
  readonly api: (request: Request, given: { readonly requestId: string }) => Response | Promise<Response>;
  /** The text of the secret with the API's tokens. */
  readonly secret: () => Promise<string | undefined>;
  readonly observations: Observations;
  readonly homeRegion: string;
  readonly now: Clock;
  readonly log: Log;
  readonly meter: Meter;
};

/** The spec of a VM of which everything is a default. */
const anyVm = JSON.stringify({ spec: { service_type: 'vm' } });

/**
 * One run of the canary: has a VM validated in the home region as DCM would, with the API's token and by EC2's dry run; then sends a message
 * through the observations queue, which the normaliser answers (answerCanary). A run that fails sends no message. Never rejects.
 */
export const runCanary = (parts: Parts) => async (): Promise<void> => {
  const { observations, homeRegion, now, log, meter } = parts;
  try {
    await validateAnyVm(parts);
    await observations.send([canaryEvent(now(), { region: homeRegion, account: '' })]);
  } catch (error) {
    meter.count('canaryFailed');
    log.warn('the canary failed before the observations queue', { reason: reasonOf(error) });
  }
};

/** @throws an Error with the answer where it is not 200. */
const validateAnyVm = async ({ api, secret, now }: Parts): Promise<void> => {
  const text = await secret();
  if (text === undefined) throw new SettingsError('api.tokenSecret must be set: the canary sends that token');
  const request = new Request('https://provider-api/api/v1alpha1/vms:validate', {
    method: 'POST',
    headers: { authorization: `Bearer ${tokensOf(text)[0]}`, 'content-type': 'application/json' },
    body: anyVm,
  });
  const response = await api(request, { requestId: `canary:${now()}` });
  if (response.status !== 200)
    throw new Error(`the validation of a VM was answered with ${response.status}: ${await response.text()}`);
};
