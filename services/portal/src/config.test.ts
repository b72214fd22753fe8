import { afterAll, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '#settings';
import { configOf } from './config.ts';

const dir = mkdtempSync(join(tmpdir(), 'roamwatt-portal-'));
afterAll(() => rmSync(dir, { recursive: true }));

const avery = {
  email: 'Avery@Plunk.example', password: 'correct horse', name: 'Avery', contract_id: 'C1', tokens: [{ uid: 'APP-1', type: 'APP_USER' }],
};

function config(sections: object, env: Record<string, string> = {}) {
  const file = join(dir, 'roamwatt.yaml');
  const party = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'] };
  writeFileSync(file, JSON.stringify({ party, ...sections }));
  return configOf(readSettings({
    ROAMWATT_PLATFORM: 'plunk', DATABASE_URL: 'postgres://127.0.0.1/x', NATS_URL: '127.0.0.1', ROAMWATT_CONFIG: file, ...env,
  }));
}

test('an operator without drivers needs no section', () => {
  expect(config({})).toEqual({
    drivers: [],
    operatorKeys: [],
    logInHours: 24,
    proxies: 0,
    guesses: { perSecond: 1, burst: 100 },
    port: 0,
    host: '127.0.0.1',
  });
});

test('e-mails compare without case', () => {
  expect(config({ drivers: [avery] }).drivers[0]!.email).toBe('avery@plunk.example');
});

test.each([
  [
    { drivers: [avery, { ...avery, email: 'AVERY@plunk.example' }] },
    'drivers: the email avery@plunk.example is there twice',
  ],
  [
    { drivers: [avery, { ...avery, email: 'b@plunk.example', tokens: [{ uid: 'app-1', type: 'RFID' }] }] },
    'drivers: the token uid app-1 is there twice',
  ],
  [{ drivers: [{ ...avery, password: 'short' }] }, 'drivers.0 (Avery@Plunk.example).password'],
  [{ drivers: [{ ...avery, tokens: [] }] }, 'drivers.0 (Avery@Plunk.example).tokens'],
  [{ drivers: [{ ...avery, phone: '1' }] }, 'drivers.0'],
  [{ portal: { operator_keys: ['short'] } }, 'portal.operator_keys.0: a key has at least 16 random characters'],
])('wrong settings name their place: %#', (sections, said) => {
  expect(() => config(sections)).toThrow(said);
});

test('a card that was lost is said to be: it is not valid', () => {
  const tokens = [...avery.tokens, { uid: '04LOST', type: 'RFID', valid: false }];
  expect(config({ drivers: [{ ...avery, tokens }] }).drivers[0]!.tokens).toMatchObject([{ uid: 'APP-1' }, { uid: '04LOST', valid: false }]);
});

test('a port that is none is refused', () => {
  expect(() => config({}, { PORTAL_PORT: '99999' })).toThrow('PORTAL_PORT');
});
