import { describe, expect, it } from 'vitest';
import { hasLostStatuses } from '../../../functions/registration/register-providers.ts';

const made = 1_790_000_000;
const yesterday = made + 86_400;
const now = yesterday + 86_400;
const held = (createdAt: number | undefined, registeredAt: number | undefined) => ({
  createdAt,
  registeredAt,
});
const known = { rowCreatedAt: made, registeredAt: now - 60 };
const answered = (createdAt: number | undefined, isNew = false) => ({ isNew, held: held(createdAt, now) });

describe('DCM has lost statuses', () => {
  it.each([
    ['at the first registration', undefined, undefined, answered(now, true)],
    ['when its row is new although we had registered before', known, undefined, answered(now, true)],
    [
      'when its row was created again, and the answer that said so was lost',
      known,
      held(now - 30, now - 30),
      answered(now - 30),
    ],
    ['when its row is as it was yesterday', known, held(made, yesterday), answered(made)],
  ])('%s', (_, last, found, answer) => {
    expect(hasLostStatuses(last, found, answer)).toBe(true);
  });

  it.each([
    ['when the row is as we registered it', known, held(made, now - 60), answered(made)],
    ['when another deployment has registered the provider since', known, held(made, now - 1), answered(made)],
    ['when we have no record of a row that DCM has', undefined, held(made, yesterday), answered(made)],
    ['when the row could not be read', known, undefined, answered(made)],
    [
      'when DCM does not keep the time of our registration',
      known,
      held(undefined, undefined),
      answered(undefined),
    ],
    ['when we recorded no times', {}, held(made, yesterday), answered(made)],
  ])('is not concluded %s', (_, last, found, answer) => {
    expect(hasLostStatuses(last, found, answer)).toBe(false);
  });
});
