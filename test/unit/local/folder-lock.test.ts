import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from '../../../local/processes/folder-lock.ts';

/** Above the largest process id of Linux and macOS. */
const pidOfNoProcess = 2 ** 22 + 1;

describe('the lock of a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('refuses a second process, and says which one uses the folder', () => {
    writeFileSync(join(folder, 'lock'), `${process.ppid}`);

    expect(() => lockFolder(folder)).toThrow(
      `another npm start (process ${process.ppid}) runs in this folder: end it first`,
    );

    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('is free again after its release', () => {
    const release = lockFolder(folder);
    expect(readdirSync(folder)).toEqual(['lock']);

    release();

    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    { of: 'a process that is gone', pid: pidOfNoProcess },
    { of: 'an earlier process with the same id', pid: process.pid },
  ])('is taken over from $of', ({ pid }) => {
    writeFileSync(join(folder, 'lock'), `${pid}`);

    expect(() => lockFolder(folder)).not.toThrow();
  });
});
