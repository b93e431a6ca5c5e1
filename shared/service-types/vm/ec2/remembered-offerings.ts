import type { Clock } from '../../../ports/clock.ts';
import type { Offerings } from '../ports.ts';

const forMs = 10 * 60_000;
const most = 500;

/**
 * Offerings that are asked once in ten minutes for each thing: a create then costs EC2 one call, and many creates at once ask together.
 * What was not there, or could not be asked, is asked again.
 */
export const rememberedOfferings = (offerings: Offerings, clock: Clock): Offerings => ({
  image: remembered(offerings.image, clock),
  newestImage: remembered(offerings.newestImage, clock),
  imageIdOf: remembered(offerings.imageIdOf, clock),
  instanceTypes: remembered(offerings.instanceTypes, clock),
});

const remembered = <Asked extends readonly unknown[], Answer>(
  ask: (...asked: Asked) => Promise<Answer>,
  clock: Clock,
): ((...asked: Asked) => Promise<Answer>) => {
  const held = new Map<string, { readonly untilMs: number; readonly answer: Promise<Answer> }>();
  return (...asked) => {
    const key = JSON.stringify(asked);
    const known = held.get(key);
    if (known !== undefined && known.untilMs > clock()) return known.answer;
    if (held.size >= most) held.clear();
    const answer = ask(...asked);
    held.set(key, { untilMs: clock() + forMs, answer });
    const forget = () => {
      if (held.get(key)?.answer === answer) held.delete(key);
    };
    answer.then((found) => {
      if (found === undefined) forget();
    }, forget);
    return answer;
  };
};
