import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Env, settingsOf } from '../../../functions/registration/env.ts';

const folder = mkdtempSync(join(tmpdir(), 'dcm-registries-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fileWith = (registries: unknown): string => {
  const path = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(path, JSON.stringify(registries));
  return path;
};

const agent = { kind: 'agent', url: 'http://agent.test:8081', endpointCredentials: true };
const withFile = (registries: unknown) => ({
  FLEET_TABLE: 'fleet',
  PROVIDER_NAME: 'ec2-sp',
  HOME_REGION: 'eu-west-1',
  REGISTRIES_FILE: fileWith(registries),
  PUBLIC_URL: 'https://api.test',
});
const least = withFile({ 'eu-west-1': agent });

describe('environment of the registration', () => {
  it('gives the name of the provider and the registry of each region', () => {
    expect(settingsOf(Env.parse(least))).toEqual({
      name: 'ec2-sp',
      homeRegion: 'eu-west-1',
      publicUrl: 'https://api.test',
      registries: { 'eu-west-1': agent },
    });
  });

  it.each([
    { tokenEndpoint: 'https://sso.test/token', clientId: 'ec2-sp', clientSecret: 'dcm/client', scope: 'dcm' },
    { tokenSecret: 'dcm/token' },
  ])('gives the way to obtain a token: %j', (auth) => {
    const { registries } = settingsOf(Env.parse(withFile({ 'eu-west-1': { ...agent, auth } })));

    expect(registries['eu-west-1']?.auth).toEqual(auth);
  });

  it.each([
    ['no region', withFile({})],
    ['a file of registries that does not exist', { ...least, REGISTRIES_FILE: join(folder, 'nowhere.json') }],
    ['a registry without a URL', withFile({ 'eu-west-1': { ...agent, url: 'dcm' } })],
    ['no name', { ...least, PROVIDER_NAME: '' }],
    [
      'a token endpoint without a client',
      withFile({ 'eu-west-1': { ...agent, auth: { tokenEndpoint: 'https://sso.test' } } }),
    ],
  ])('is refused at the cold start with %s (C 61)', (_, wrong) => {
    expect(Env.safeParse(wrong).success).toBe(false);
  });
});
