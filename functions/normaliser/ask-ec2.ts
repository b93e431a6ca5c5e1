import { UpstreamError } from '../../shared/domain/errors.ts';
import { type Instance, type Instances, maximumDescribed } from '../../shared/ports/instances.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { Terminations } from './terminations.ts';

/** Twice this and the second between two deliveries keep a DELETED whose reason nobody knows from waiting longer than two. */
const patienceMs = 500;

type Parts = {
  readonly instances: Instances;
  readonly reasons: Terminations;
  readonly meter: Meter;
  readonly log: Log;
};
type Question = { readonly instanceId: string; readonly region: string };

/** EC2's answer for each instance asked about; no entry where EC2 did not answer. */
export type Answers = ReadonlyMap<string, Instance | 'absent'>;

/** Asks EC2 about a batch's instances: one DescribeInstances for each region that has any, none where there is nothing to ask. */
export const askEc2 =
  ({ instances, reasons, meter, log }: Parts) =>
  async (questions: readonly Question[]): Promise<Answers> => {
    const answers = new Map<string, Instance | 'absent'>();
    const regions = new Set(questions.map(({ region }) => region));
    await Promise.all([...regions].map(ask));
    return answers;

    async function ask(region: string) {
      const asked = questions
        .filter((question) => question.region === region)
        .map(({ instanceId }) => instanceId);
      const ids = [...new Set([...asked, ...reasons.leaving(region)])].slice(
        0,
        Math.max(maximumDescribed, asked.length),
      );
      for (let start = 0; start < ids.length; start += maximumDescribed) {
        const error = await describe(region, ids.slice(start, start + maximumDescribed));
        const alone = ids.slice(start, start + maximumDescribed).filter((id) => asked.includes(id));
        // one instance of a zone that is down has EC2 refuse the whole question
        if (error instanceof UpstreamError) await Promise.all(alone.map((id) => describe(region, [id])));
      }
    }

    /** Answers why EC2 did not. */
    async function describe(region: string, ids: readonly string[]): Promise<unknown> {
      meter.count('ec2Calls');
      try {
        const found = await instances.describe(region, ids, patienceMs);
        for (const id of ids) answers.set(id, found.get(id) ?? 'absent');
        for (const instance of found.values()) reasons.learn(instance);
        return undefined;
      } catch (error) {
        log.warn('EC2 did not describe instances; what depends on it is tried again', {
          region,
          instances: ids.length,
          error,
        });
        return error;
      }
    }
  };
