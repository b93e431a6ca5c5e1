import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { providerIdOf, providersOf } from '../../../functions/registration/providers.ts';
import { ProviderRegistration } from '../../../shared/wire/dcm-provider.ts';

const registry = { kind: 'agent', url: 'https://agent.test', endpointCredentials: true } as const;
const settings = {
  name: 'ec2-sp',
  homeRegion: 'eu-west-1',
  publicUrl: 'https://api.test',
  registries: { 'us-east-1': registry, 'eu-west-1': registry },
};
const tokens = new Map([[undefined, 'token']]);
const [home, other] = providersOf(settings);

describe('providers at DCM', () => {
  it('are one for each region, the home region first and under the bare name', () => {
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

  it('are one for each service type, with the collection of its resources', () => {
    const all = { ...registry, serviceTypes: ['vm', 'container', 'cluster'] } as const;

    const providers = providersOf({
      ...settings,
      registries: { 'us-east-1': { ...all, serviceTypes: ['container'] }, 'eu-west-1': all },
    });

    expect(
      providers.map(({ registration: { name, service_type: type, display_name: display, endpoint } }) => [
        ...[name, type, display, endpoint.replace('https://api.test', '')],
      ]),
    ).toEqual([
      ['ec2-sp', 'vm', 'Amazon EC2 in eu-west-1', '/api/v1alpha1/vms'],
      ['ec2-sp-container', 'container', 'Amazon ECS in eu-west-1', '/api/v1alpha1/containers'],
      ['ec2-sp-cluster', 'cluster', 'Amazon EKS in eu-west-1', '/api/v1alpha1/clusters'],
      [
        ...['ec2-sp-container-us-east-1', 'container', 'Amazon ECS in us-east-1'],
        '/us-east-1/api/v1alpha1/containers',
      ],
    ]);
  });

  it('have the UUIDv5 of their name as id, which DCM accepts (C 56)', () => {
    // uuidgen --sha1 --namespace @dns --name ec2-sp
    expect(home?.id).toBe(providerIdOf('ec2-sp'));
    expect(home?.id).toBe('4bb0a227-9552-5c04-b435-5da40702f606');
    expect(other?.id).not.toBe(home?.id);
    expect(home?.id).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });

  it("have none of DCM's read-only fields, and no resources", () => {
    const WithoutMetadata = z.omit(ProviderRegistration, { metadata: true });

    for (const { registration } of providersOf(settings, tokens))
      expect(WithoutMetadata.safeParse(registration).success).toBe(true);
  });

  it('have the URL by which the DCM of their region reaches the API', () => {
    const elsewhere = { ...registry, publicUrl: 'https://proxy.test' };

    const providers = providersOf({
      ...settings,
      registries: { 'eu-west-1': registry, 'us-east-1': elsewhere },
    });

    expect(providers.map(({ registration }) => registration.endpoint)).toEqual([
      'https://api.test/api/v1alpha1/vms',
      'https://proxy.test/us-east-1/api/v1alpha1/vms',
    ]);
  });

  it('carry no token where the DCM of the registry authenticates otherwise', () => {
    const proxied = { ...registry, endpointCredentials: false };

    const [provider] = providersOf({ ...settings, registries: { 'eu-west-1': proxied } }, tokens);

    expect(provider?.registration.endpoint).toBe('https://api.test/api/v1alpha1/vms');
  });

  it.each([
    ['https://api.test/', 'https://api.test/api/v1alpha1/vms'],
    ['http://127.0.0.1:8081', 'http://127.0.0.1:8081/api/v1alpha1/vms'],
    ['https://API.test:443', 'https://api.test/api/v1alpha1/vms'],
  ])('have an endpoint to which DCM can add a path, from %s (C 56)', (publicUrl, endpoint) => {
    const [provider] = providersOf({ ...settings, publicUrl });

    expect(provider?.registration.endpoint).toBe(endpoint);
  });

  it('carry the token URL encoded, so that DCM sends it unchanged', () => {
    const token = "p@ss/w:rd é'";

    const [provider] = providersOf(settings, new Map([[undefined, token]]));

    const { username, password, host } = new URL(provider?.registration.endpoint ?? '');
    expect([username, decodeURIComponent(password), host]).toEqual(['dcm', token, 'api.test']);
  });

  it('of another account have its alias, and never its id, in their name and their path', () => {
    const registries = { 'eu-west-1': registry, '222222222222/eu-west-1': { ...registry, alias: 'prod' } };

    const [, provider] = providersOf({ ...settings, registries });

    expect(provider?.target).toEqual({ account: '222222222222', region: 'eu-west-1', alias: 'prod' });
    expect(provider?.registration).toMatchObject({
      name: 'ec2-sp-prod-eu-west-1',
      endpoint: 'https://api.test/prod/eu-west-1/api/v1alpha1/vms',
      display_name: 'Amazon EC2 in eu-west-1 (prod)',
    });
  });

  it('do not include regions in which nothing can be created', () => {
    const providers = providersOf({ ...settings, registries: { 'us-east-1': registry } });

    expect(providers.map(({ registration }) => registration.name)).toEqual(['ec2-sp-us-east-1']);
  });
});
