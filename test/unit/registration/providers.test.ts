import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { providerIdOf, providerRows } from '../../../functions/registration/providers.ts';
import { ProviderRegistration } from '../../../shared/wire/dcm-provider.ts';

const registry = { kind: 'agent', url: 'https://agent.test', endpointCredentials: true } as const;
const provider = {
  name: 'ec2-sp',
  homeRegion: 'eu-west-1',
  publicUrl: 'https://api.test',
  registries: { 'us-east-1': registry, 'eu-west-1': registry },
};
const [home, other] = providerRows(provider, undefined);

describe('provider rows', () => {
  it('are one for each region, the home region first and under our bare name', () => {
    expect(home?.registration).toEqual({
      name: 'ec2-sp',
      endpoint: 'https://api.test/api/v1alpha1/vms',
      service_type: 'vm',
      schema_version: 'v1alpha1',
      display_name: 'Amazon EC2 in eu-west-1',
      operations: ['CREATE', 'DELETE', 'READ'],
    });
    expect(other?.registration).toMatchObject({
      name: 'ec2-sp-us-east-1',
      endpoint: 'https://api.test/us-east-1/api/v1alpha1/vms',
    });
  });

  it('have an id that follows from the name, as every tool makes it, and that DCM accepts (C 56)', () => {
    // uuidgen --sha1 --namespace @dns --name ec2-sp
    expect(home?.id).toBe(providerIdOf('ec2-sp'));
    expect(home?.id).toBe('4bb0a227-9552-5c04-b435-5da40702f606');
    expect(other?.id).not.toBe(home?.id);
    expect(home?.id).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });

  it('hold nothing that DCM only tells, and no resources', () => {
    const WithoutMetadata = z.omit(ProviderRegistration, { metadata: true });

    for (const { registration } of providerRows(provider, 'token'))
      expect(WithoutMetadata.safeParse(registration).success).toBe(true);
  });

  it('have the address by which the DCM of their region reaches the API', () => {
    const elsewhere = { ...registry, publicUrl: 'https://proxy.test' };

    const rows = providerRows(
      { ...provider, registries: { 'eu-west-1': registry, 'us-east-1': elsewhere } },
      undefined,
    );

    expect(rows.map(({ registration }) => registration.endpoint)).toEqual([
      'https://api.test/api/v1alpha1/vms',
      'https://proxy.test/us-east-1/api/v1alpha1/vms',
    ]);
  });

  it('carry no token to a registry whose DCM gets past the API otherwise', () => {
    const proxied = { ...registry, endpointCredentials: false };

    const [row] = providerRows({ ...provider, registries: { 'eu-west-1': proxied } }, 'token');

    expect(row?.registration.endpoint).toBe('https://api.test/api/v1alpha1/vms');
  });

  it.each([
    ['https://api.test/', 'https://api.test/api/v1alpha1/vms'],
    ['http://127.0.0.1:8081', 'http://127.0.0.1:8081/api/v1alpha1/vms'],
    ['https://API.test:443', 'https://api.test/api/v1alpha1/vms'],
  ])('have an endpoint to which DCM can add a path, from %s (C 56)', (publicUrl, endpoint) => {
    const [row] = providerRows({ ...provider, publicUrl }, undefined);

    expect(row?.registration.endpoint).toBe(endpoint);
  });

  it('carry the token, where there is one, so that DCM sends it as it is', () => {
    const token = "p@ss/w:rd é'";

    const [row] = providerRows(provider, token);

    const { username, password, host } = new URL(row?.registration.endpoint ?? '');
    expect([username, decodeURIComponent(password), host]).toEqual(['dcm', token, 'api.test']);
  });

  it('are none of a region where nothing can be created', () => {
    const rows = providerRows({ ...provider, registries: { 'us-east-1': registry } }, undefined);

    expect(rows.map(({ registration }) => registration.name)).toEqual(['ec2-sp-us-east-1']);
  });
});
