import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aptBases } from './apt-bases.ts';

let etc: string;
beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), 'roamwatt-etc-'));
  mkdirSync(join(etc, 'apt/sources.list.d'), { recursive: true });
  writeFileSync(
    join(etc, 'os-release'),
    'NAME="Debian GNU/Linux"\nID=debian\nVERSION_CODENAME=bookworm\n',
  );
});
afterEach(() => rmSync(etc, { recursive: true, force: true }));

test('the archive is read from one-line sources; security and strangers are left out', () => {
  write('sources.list', [
    '# deb http://old.example/debian bookworm main',
    'deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main contrib',
    'deb http://mirror.example/security bookworm-security main',
    'deb-src http://mirror.example/sources bookworm main',
    'deb http://tools.example/apt nodistro main',
  ]);
  expect(aptBases(etc)).toEqual([
    { uri: 'http://mirror.example/debian', signedBy: '/keys/debian.gpg' },
  ]);
});

test('the archive is read from stanzas, those that are switched off excepted', () => {
  write('sources.list.d/debian.sources', [
    'Types: deb deb-src',
    '# a note',
    'URIs: mirror+file:/etc/apt/mirrors/debian.list',
    'Suites: bookworm bookworm-updates',
    'Components: main',
    'Signed-By: /keys/debian.gpg',
    '',
    'Enabled: no',
    'Types: deb',
    'URIs: http://off.example/debian',
    'Suites: bookworm',
    'Components: main',
  ]);
  expect(aptBases(etc)).toEqual([
    { uri: 'mirror+file:/etc/apt/mirrors/debian.list', signedBy: '/keys/debian.gpg' },
  ]);
});

test('a key that is written in the stanza is left to apt', () => {
  write('sources.list.d/debian.sources', [
    'Types: deb',
    'URIs: http://mirror.example/debian',
    'Suites: bookworm',
    'Components: main',
    'Signed-By:',
    ' -----BEGIN PGP PUBLIC KEY BLOCK-----',
  ]);
  expect(aptBases(etc)).toEqual([{ uri: 'http://mirror.example/debian' }]);
});

test('a machine that is not Debian has no Debian archive', () => {
  writeFileSync(join(etc, 'os-release'), 'ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n');
  write('sources.list', ['deb http://mirror.example/ubuntu noble main']);
  expect(aptBases(etc)).toEqual([]);
});

function write(file: string, lines: readonly string[]): void {
  writeFileSync(join(etc, 'apt', file), `${lines.join('\n')}\n`);
}
