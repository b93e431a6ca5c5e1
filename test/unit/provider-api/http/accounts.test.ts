import { describe, expect, it } from 'vitest';
import { recordsIn } from '../../../../functions/provider-api/use-cases.ts';
import { FailedPreconditionError, NotFoundError } from '../../../../shared/core/errors.ts';
import { authentication, opensTargetsOf } from '../../../../shared/http/authentication.ts';
import { memoryVmRecords } from '../../../fakes/memory-records.ts';
import { servedApi } from './served-api.ts';

const accounts = {
  prod: { id: '222222222222', regions: ['eu-west-1', 'us-east-1'] },
  lab: { id: '333333333333', regions: ['eu-west-1'] },
};
const jwt = (scopes: readonly string[]) => async (text: string) =>
  text === 'he.ad.sig' ? { scopes } : undefined;

const api = (homeScopes?: readonly string[], prodScopes?: readonly string[]) =>
  servedApi({
    accounts,
    authentication: authentication({
      realm: 'provider-api',
      credentials: [
        {
          secret: async () => 'home',
          verifyJwt: homeScopes && jwt(homeScopes),
          opens: opensTargetsOf(undefined),
        },
        {
          secret: async () => 'prod',
          verifyJwt: prodScopes && jwt(prodScopes),
          opens: opensTargetsOf('prod'),
        },
        { secret: () => Promise.reject(new Error('no answer')), opens: opensTargetsOf('lab') },
      ],
    }),
  });
const status = async (served: ReturnType<typeof api>, prefix: string, token: string) =>
  (await served.ask('GET', `${prefix}/api/v1alpha1/vms`, { headers: { authorization: `Bearer ${token}` } }))
    .status;

describe('the path of a request', () => {
  it.each([
    ['', { region: 'us-east-1' }],
    ['/eu-west-1', { region: 'eu-west-1' }],
    ['/prod/eu-west-1', { region: 'eu-west-1', account: '222222222222', alias: 'prod' }],
  ])('%j alone decides the target', async (prefix, target) => {
    const { ask, asked } = api();
    const token = prefix.startsWith('/prod') ? 'prod' : 'home';

    await ask('GET', `${prefix}/api/v1alpha1/vms`, { headers: { authorization: `Bearer ${token}` } });

    expect(asked).toEqual([['list', expect.objectContaining({ target })]]);
  });

  it.each(['/test/eu-west-1', '/prod/ap-south-2', '/222222222222/eu-west-1', '/constructor/eu-west-1'])(
    'to a target that is not configured is answered with 404: %s',
    async (prefix) => {
      expect(await status(api(), prefix, 'home')).toBe(404);
    },
  );
});

describe('credentials', () => {
  it.each([
    ['home', '/eu-west-1', 200],
    ['prod', '/prod/eu-west-1', 200],
    ['lab', '/lab/eu-west-1', 503],
    ['lab', '/prod/eu-west-1', 401],
  ])(
    'while the secret of the account lab cannot be read: the token %s below %j: %i',
    async (token, prefix, expected) => {
      expect(await status(api(), prefix, token)).toBe(expected);
    },
  );

  it.each([
    [[], '', 200],
    [['openid'], '', 200],
    [[], '/prod/eu-west-1', 403],
    [['target:prod/eu-west-1'], '/prod/eu-west-1', 200],
    [['target:prod/eu-west-1'], '/prod/us-east-1', 403],
    [['target:prod/eu-west-1'], '', 403],
    [['target:prod/*'], '/prod/us-east-1', 200],
    [['target:*'], '/prod/us-east-1', 200],
    [['target:eu-west-1'], '/eu-west-1', 200],
    [['target:eu-west-1'], '/prod/eu-west-1', 403],
  ])(
    'a JWT of the home account’s issuer with the scope %j below %j: %i',
    async (scopes, prefix, expected) => {
      expect(await status(api(scopes), prefix, 'he.ad.sig')).toBe(expected);
    },
  );

  it.each([
    [[], '/prod/eu-west-1', 200],
    [['target:prod/us-east-1'], '/prod/eu-west-1', 403],
    [['target:eu-west-1'], '/eu-west-1', 403],
    [['target:*'], '', 403],
    [['target:*'], '/prod/eu-west-1', 200],
  ])('a JWT of an account’s issuer with the scope %j below %j: %i', async (scopes, prefix, expected) => {
    expect(await status(api(undefined, scopes), prefix, 'he.ad.sig')).toBe(expected);
  });
});

describe('an id that exists in one account', () => {
  const [home, prod] = [{ region: 'eu-west-1' }, { region: 'eu-west-1', account: '222222222222' }];
  const dcmId = 'vm-1';
  const vm = { resourceId: 'i-1', account: '111111111111', facts: { launchedAtMs: 0 }, adopted: true };

  const existing = async () => {
    const records = memoryVmRecords();
    await records.adopt({ dcmId, region: 'eu-west-1', ...vm });
    return { records, elsewhere: recordsIn(prod, records) };
  };

  it('is not found, not deleted and not created below the path of another one', async () => {
    const { records, elsewhere } = await existing();

    expect(await elsewhere.read(dcmId)).toBeUndefined();
    await expect(elsewhere.requestDelete(dcmId)).rejects.toThrow(NotFoundError);
    await expect(elsewhere.begin({ dcmId, region: '222222222222/eu-west-1', leaseMs: 1 })).rejects.toThrow(
      FailedPreconditionError,
    );
    expect((await records.read(dcmId))?.deleteRequestedAtMs).toBeUndefined();
    expect((await recordsIn(home, records).read(dcmId))?.resourceId).toBe('i-1');
  });

  it('is not taken over by a resource in another one, even where its own has ended', async () => {
    const { records } = await existing();
    const other = { dcmId, region: '222222222222/eu-west-1', ...vm, resourceId: 'i-2', adopted: false };

    expect(await records.adopt(other)).toBe('another');
    await records.end(dcmId, 'i-1');
    expect(await records.adopt(other)).toBe('another');
  });
});
