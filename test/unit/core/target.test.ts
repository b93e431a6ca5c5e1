import { expect, it } from 'vitest';
import { byTarget, targetKey, targetOf, targetOfKey } from '../../../shared/core/target.ts';

const home = { region: 'eu-west-1' };
const member = { account: '222222222222', region: 'eu-west-1' };

it('the key of a target in the home account is its region', () => {
  expect(targetKey(home)).toBe('eu-west-1');
});

it('the key of a target in another account begins with the account', () => {
  expect(targetKey(member)).toBe('222222222222/eu-west-1');
});

it.each([home, member])('a key is read as the target that it was made of: %j', (target) => {
  expect(targetOfKey(targetKey(target))).toEqual(target);
});

it('a target of the home account is the same whether or not its account is said', () => {
  expect(targetOf({ account: '111111111111', region: 'eu-west-1' }, '111111111111')).toEqual(home);
});

it('every account is the home account where that is not known', () => {
  expect(targetOf(member, undefined)).toEqual(home);
});

it('another account is a target of its own', () => {
  expect(targetOf(member, '111111111111')).toEqual(member);
});

it('targets of the home account come first', () => {
  const targets = [member, { region: 'us-east-1' }, home];

  expect(targets.toSorted(byTarget)).toEqual([home, { region: 'us-east-1' }, member]);
});
