import { describe, expect, it } from 'vitest';
import { servedApi } from './served-api.ts';

const list = async (query: string) => {
  const api = servedApi();
  const response = await api.ask('GET', `/api/v1alpha1/vms${query}`);
  return { api, response };
};

describe('a listing', () => {
  it.each([
    ['', { maximumPageSize: 50, pageToken: undefined }],
    ['?max_page_size=&page_token=', { maximumPageSize: 50, pageToken: undefined }],
    ['?max_page_size=1', { maximumPageSize: 1, pageToken: undefined }],
    ['?max_page_size=100&page_token=Mg%3D%3D', { maximumPageSize: 100, pageToken: 'Mg==' }],
    ['?__proto__=1&constructor=2&toString=', { maximumPageSize: 50, pageToken: undefined }],
    ['?something=else', { maximumPageSize: 50, pageToken: undefined }],
  ])('has the parameters %j (C 28)', async (query, expected) => {
    const { api, response } = await list(query);

    expect(response.status).toBe(200);
    expect(api.asked).toEqual([['list', { target: { region: 'us-east-1' }, ...expected }]]);
  });

  it.each(['0', '101', '-1', '1.5', 'ten', 'NaN', 'Infinity'])(
    'is refused with pages of %s VMs (C 28)',
    async (size) => {
      const { api, response } = await list(`?max_page_size=${size}`);

      expect([response.status, await response.json(), api.asked]).toMatchObject([
        400,
        { detail: 'max_page_size: expected a whole number from 1 to 100' },
        [],
      ]);
    },
  );

  it('is refused with a page token longer than any answered one', async () => {
    const { api, response } = await list(`?page_token=${'a'.repeat(2_049)}`);

    expect([response.status, await response.json(), api.asked]).toMatchObject([
      400,
      { detail: 'page_token: expected at most 2048 characters' },
      [],
    ]);
  });

  it.each(['something', '__proto__', 'constructor'])('is refused where %s is given twice', async (name) => {
    const { response } = await list(`?${name}=a&${name}=b`);

    expect([response.status, await response.json()]).toMatchObject([
      400,
      { detail: `${name}: expected it once` },
    ]);
  });

  it('is refused where a parameter is given twice', async () => {
    const { response } = await list('?page_token=a&page_token=b');

    expect([response.status, await response.json()]).toMatchObject([
      400,
      { detail: 'page_token: expected it once' },
    ]);
  });
});
