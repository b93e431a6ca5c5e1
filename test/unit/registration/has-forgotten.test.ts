import { describe, expect, it } from 'vitest';
import { hasForgotten } from '../../../functions/registration/register-providers.ts';

const made = 1_790_000_000;
const yesterday = made + 86_400;
const now = yesterday + 86_400;
const held = (createdAt: number | undefined, registeredAt: number | undefined) => ({
  createdAt,
  registeredAt,
});
const known = { rowCreatedAt: made, registeredAt: now - 60 };
const answered = (createdAt: number | undefined, isNew = false) =>
  ({ outcome: 'registered', isNew, row: held(createdAt, now) }) as const;

describe('DCM has forgotten', () => {
  it.each([
    ['at the first registration', undefined, undefined, answered(now, true)],
    ['when its row is new though we had one', known, undefined, answered(now, true)],
    [
      'when its row was made anew, and the answer that said so was lost',
      known,
      held(now - 30, now - 30),
      answered(now - 30),
    ],
    ['when it is as it was yesterday', known, held(made, yesterday), answered(made)],
  ])('%s', (_, remembered, found, answer) => {
    expect(hasForgotten(remembered, found, answer)).toBe(true);
  });

  it.each([
    ['when all is as we left it', known, held(made, now - 60), answered(made)],
    ['when another deployment has registered the row since', known, held(made, now - 1), answered(made)],
    ['when we remember nothing of a row that it has', undefined, held(made, yesterday), answered(made)],
    ['when the row could not be looked at', known, undefined, answered(made)],
    ['when DCM does not keep our time', known, held(undefined, undefined), answered(undefined)],
    ['when we never were told times', {}, held(made, yesterday), answered(made)],
  ])('nothing %s', (_, remembered, found, answer) => {
    expect(hasForgotten(remembered, found, answer)).toBe(false);
  });
});
