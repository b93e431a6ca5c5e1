import { describe, expect, it } from 'vitest';
import {
  ProviderError,
  RecentlyLaunchedError,
  reasonOf,
  SettingsError,
  UnavailableError,
  UnreadableError,
} from '../../../shared/core/errors.ts';

describe('provider errors', () => {
  it.each([
    { error: new UnreadableError('x'), name: 'UnreadableError', code: 'unreadable', retryable: false },
    { error: new UnavailableError('x'), name: 'UnavailableError', code: 'unavailable', retryable: true },
    { error: new RecentlyLaunchedError('x'), name: 'TooYoungError', code: 'too-young', retryable: true },
    { error: new SettingsError('x'), name: 'SettingsError', code: 'settings', retryable: false },
  ])('$name is $code; retryable: $retryable', ({ error, ...expected }) => {
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ ...expected, message: 'x' });
  });

  it('keep their cause', () => {
    const cause = new Error('ECONNREFUSED');

    expect(new UnavailableError('NATS cannot be connected', { cause }).cause).toBe(cause);
  });

  it.each([
    { thrown: new Error('no route'), reason: 'no route' },
    { thrown: 'no route', reason: 'no route' },
    { thrown: undefined, reason: 'undefined' },
    { thrown: 504, reason: '504' },
  ])('give the reason of anything thrown: $thrown', ({ thrown, reason }) => {
    expect(reasonOf(thrown)).toBe(reason);
  });
});
