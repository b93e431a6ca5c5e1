import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings, parseSettings } from '../../infra/settings/load-settings.ts';
import { refusalOf } from './refused.ts';
import { leastSettings } from './synthesized.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const least = JSON.stringify(leastSettings);

describe('where settings come from', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dcm-settings-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is the context key dcm, as JSON or as an object', () => {
    const fromJson = loadSettings({ dcm: least }, folder);
    const fromObject = loadSettings({ dcm: leastSettings }, folder);

    expect(fromJson).toEqual({ settings: parseSettings(leastSettings), areExample: false });
    expect(fromObject).toEqual(fromJson);
  });

  it('is the file that the context key settings names', () => {
    writeFileSync(join(folder, 'production.json'), least);

    const { settings } = loadSettings({ settings: 'production.json' }, folder);

    expect(settings.homeRegion).toBe('eu-west-1');
  });

  it('is settings.json by default', () => {
    writeFileSync(join(folder, 'settings.json'), least);

    const { settings, areExample } = loadSettings({}, folder);

    expect(settings.nats.urls).toEqual(leastSettings.nats.urls);
    expect(areExample).toBe(false);
  });

  it('is the example if it is named', () => {
    const { areExample } = loadSettings({ settings: 'infra/settings.example.json' }, project);

    expect(areExample).toBe(true);
  });

  it('is the example only if it is allowed and there is no settings.json', () => {
    mkdirSync(join(folder, 'infra'));
    writeFileSync(join(folder, 'infra/settings.example.json'), least);
    const withoutFile = loadSettings({ example: 'true' }, folder);
    writeFileSync(join(folder, 'settings.json'), least);
    const withFile = loadSettings({ example: 'true' }, folder);

    expect([withoutFile.areExample, withFile.areExample]).toEqual([true, false]);
  });

  it.each<[string, Parameters<typeof loadSettings>[0], RegExp]>([
    [
      'both keys',
      { dcm: least, settings: 'x' },
      /^Give the settings as context "dcm" or as context "settings", not as both\.$/,
    ],
    ['text that is not JSON', { dcm: '{homeRegion}' }, /^Context "dcm" is not JSON: .*\.$/],
    [
      'nothing',
      {},
      /^There are no settings: write settings\.json, or name another file with -c settings=FILE /,
    ],
    [
      'a file that is not there',
      { settings: 'nowhere.json' },
      /^Settings file .*nowhere\.json cannot be read: .*\.$/,
    ],
  ])('is refused in one sentence: %s', (_, context, sentence) => {
    expect(refusalOf(() => loadSettings(context, folder))).toMatch(sentence);
  });
});

/** The app as the CDK runs it for any of its commands. */
const app = (context: object) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'infra/app.ts'], {
    cwd: project,
    env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(context) },
    encoding: 'utf8',
  });

describe('cdk synth with wrong settings', () => {
  it('ends with exit code 1 and one sentence', () => {
    const { status, stderr } = app({ dcm: { ...leastSettings, homeRegion: 'Ireland' } });

    expect(status).toBe(1);
    expect(stderr).toBe('Setting "homeRegion" must be an AWS region, such as eu-west-1.\n');
  });
});
