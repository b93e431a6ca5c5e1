import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ServiceType } from '../../../../shared/core/kind.ts';
import { documentedTypes } from '../../../../tools/api-examples.ts';
import { requestId, servedApi } from './served-api.ts';

const Page = z.looseObject({ results: z.array(z.unknown()), next_page_token: z.string() });

describe.each(documentedTypes)('the collection $collection', ({ serviceType, collection, exampleSpec }) => {
  const path = `/api/v1alpha1/${collection}`;
  const withKey = { headers: { 'idempotency-key': '7d0c3d8e' }, body: exampleSpec };
  const findRequest = async () => ({ resourceId: 'web-7', serviceType });

  it('creates by id, in the region of the path, with the spec alone or within `spec`', async () => {
    for (const [prefix, region] of [
      ['', 'us-east-1'],
      ['/eu-west-1', 'eu-west-1'],
    ])
      for (const body of [{ spec: exampleSpec }, exampleSpec]) {
        const api = servedApi();

        const response = await api.ask('POST', `${prefix}${path}?id=web-1`, { body });

        expect([response.status, await response.json()]).toMatchObject([201, { id: 'web-1', region }]);
        expect(api.asked).toMatchObject([
          [expect.stringMatching(/^create/), { dcmId: 'web-1', region, requestId }],
        ]);
      }
  });

  it('creates for an environment agent, by the Idempotency-Key of a request of this type', async () => {
    const api = servedApi({ useCases: { findRequest } });

    expect((await api.ask('POST', path, withKey)).status).toBe(201);
    expect(api.asked).toMatchObject([
      [expect.stringMatching(/^create/), { dcmId: 'web-7', request: { key: '7d0c3d8e' } }],
    ]);
  });

  it('refuses the Idempotency-Key of a request of another type', async () => {
    const [other = ''] = ServiceType.options.filter((type) => type !== serviceType);
    const api = servedApi({
      useCases: { findRequest: async () => ({ ...(await findRequest()), serviceType: other }) },
    });

    const response = await api.ask('POST', path, withKey);

    expect([response.status, await response.json()]).toMatchObject([
      400,
      {
        detail: `Idempotency-Key: expected a request for a ${serviceType}; the request with this key is for a ${other}`,
      },
    ]);
    expect(api.asked).toEqual([]);
  });

  it('refuses a body without a spec, and a spec of another type', async () => {
    const [other] = ServiceType.options.filter((type) => type !== serviceType);

    for (const body of [
      '',
      {},
      { spec: {} },
      { spec: { service_type: 12345 } },
      { spec: { service_type: other } },
    ])
      expect((await servedApi().ask('POST', `${path}?id=web-1`, { body })).status).toBe(400);
  });

  it('lists under the keys that DCM’s clients read', async () => {
    const page = Page.parse(await (await servedApi().ask('GET', `${path}?max_page_size=2`)).json());

    expect(page.results).toHaveLength(1);
    expect(page[collection]).toEqual(serviceType === 'vm' ? undefined : page.results);
    expect(page.next_page_token).toBe('more');
  });

  it('has the health of its own type, without credentials and not taken for an id', async () => {
    const api = servedApi();

    const response = await api.ask('GET', `/eu-west-1${path}/health`, { headers: { authorization: '' } });

    expect(response.status).toBe(200);
    expect(api.asked).toEqual([['checkHealth', { region: 'eu-west-1', serviceType }]]);
    expect((await api.ask('POST', `${path}?id=health`, { body: exampleSpec })).status).toBe(400);
  });

  it('deletes with 204', async () => {
    const api = servedApi();

    expect((await api.ask('DELETE', `${path}/web-1`)).status).toBe(204);
    expect(api.asked).toEqual([[expect.stringMatching(/^delete/), 'web-1', requestId]]);
  });
});
