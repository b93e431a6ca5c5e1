import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { afterEach, describe, expect, it } from 'vitest';
import { mockedClient } from '../../../mocked-client.ts';
import { ec2sp, emptyFolder } from './run.ts';

const organizations = mockedClient(OrganizationsClient);

/** The organization o-a1b2c3d4e5 with its management account and these. */
const withAccounts = (...accounts: readonly object[]) =>
  organizations.callsFake((input: object) => {
    if ('ParentId' in input) return {};
    const isPage = accounts.length > 0 && organizations.calls().length > 1;
    return isPage
      ? { Accounts: [{ Id: '111111111111', Name: 'root', State: 'ACTIVE' }, ...accounts] }
      : { Organization: { Id: 'o-a1b2c3d4e5', MasterAccountId: '111111111111' } };
  });

afterEach(() => organizations.reset());

const prod = { Id: '222222222222', Name: 'Prod (EU)', State: 'ACTIVE' };
const closed = { Id: '333333333333', Name: 'old', State: 'SUSPENDED' };
const digits = { Id: '444444444444', Name: '42', State: 'ACTIVE' };

describe('ec2sp accounts import', () => {
  it('prints the active accounts, by aliases from their names, and writes nothing', async () => {
    withAccounts(prod, closed, digits);

    const { stdout, stderr } = await ec2sp(['accounts', 'import', '--regions', 'eu-west-1,us-east-1']);

    const streamingRegions = ['eu-west-1', 'us-east-1'];
    expect(JSON.parse(stdout)).toEqual({
      organization: { id: 'o-a1b2c3d4e5' },
      accounts: {
        prodeu: { id: '222222222222', streamingRegions },
        a42: { id: '444444444444', streamingRegions },
      },
    });
    expect(stderr).toContain('Nothing was written');
  });

  it('adds them to the settings, and leaves what is there as it is', async () => {
    withAccounts(prod, digits);
    const folder = emptyFolder();
    const known = { prodeu: { id: '555555555555' }, mine: { id: '444444444444', legacyRegions: ['x'] } };
    const settings = { homeRegion: 'eu-west-1', provider: { name: 'p' }, accounts: known };
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));

    const { exitCode } = await ec2sp(['accounts', 'import', '--write'], { folder });

    expect(exitCode).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8'))).toEqual({
      ...settings,
      organization: { id: 'o-a1b2c3d4e5' },
      accounts: { ...known, prodeu2222: { id: '222222222222', streamingRegions: ['eu-west-1'] } },
    });
  });

  it('refuses to write where there are no settings', async () => {
    const { exitCode, stderr } = await ec2sp(['accounts', 'import', '--write']);

    expect(stderr).toContain('--write needs the settings');
    expect(exitCode).toBe(2);
  });
});
