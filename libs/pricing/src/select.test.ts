import { expect, test } from 'vitest';
import { instant } from '#time';
import { inForce, select } from './select.ts';
import type { Tariff } from './shapes.ts';

const elements: Tariff['elements'] = [{ price_components: [{ type: 'FLAT', price: 1 }] }];
const tariff = (id: string, type?: string, validity: Partial<Tariff> = {}): Tariff => ({
  id,
  currency: 'CAD',
  type,
  elements,
  ...validity,
});
const all = tariff('all');
const adHoc = tariff('ad-hoc', 'AD_HOC_PAYMENT');
const regular = tariff('regular', 'REGULAR');
const cheap = tariff('cheap', 'PROFILE_CHEAP');
const atMs = instant('2022-02-01T17:00:00Z');

test.each([
  ['a card', [adHoc, all, regular], 'RFID', undefined, 'regular'],
  ['a card, where only a tariff for all exists', [adHoc, all], 'RFID', undefined, 'all'],
  ['an app', [adHoc, regular], 'APP_USER', undefined, 'regular'],
  ['a card that prefers REGULAR', [cheap, regular], 'RFID', 'REGULAR', 'regular'],
  ['a card that prefers CHEAP', [regular, cheap], 'RFID', 'CHEAP', 'cheap'],
  ['a preference without a tariff', [regular, cheap], 'RFID', 'FAST', 'regular'],
  ['who pays at the charger', [regular, all, adHoc], 'AD_HOC_USER', undefined, 'ad-hoc'],
  ['who pays at the charger, with contracts only', [regular], 'AD_HOC_USER', undefined, undefined],
  ['nobody’s tariff', [], 'RFID', undefined, undefined],
])('TAR-02 the tariff of %s', (_, tariffs, tokenType, profile, id) => {
  expect(select(tariffs, { tokenType, profile, atMs })?.id).toBe(id);
});

test('TAR-03 a tariff applies from its start until before its end', () => {
  const past = tariff('past', 'REGULAR', { end_date_time: '2022-02-01T17:00:00Z' });
  const now = tariff('now', 'REGULAR', { start_date_time: '2022-02-01T17:00:00Z' });
  expect(select([past, now], { tokenType: 'RFID', atMs })?.id).toBe('now');
  expect(select([past, now], { tokenType: 'RFID', atMs: atMs - 1 })?.id).toBe('past');
});

test('of two tariffs in force the one that began last applies', () => {
  const before = tariff('before', 'REGULAR');
  const after = tariff('after', 'REGULAR', { start_date_time: '2022-01-01T00:00:00Z' });
  expect(select([before, after], { tokenType: 'RFID', atMs })?.id).toBe('after');
});

test.each([
  ['only what the agreement offers', 'RFID', ['CHEAP', 'all'], 'all'],
  ['a profile that the agreement offers', 'APP_USER', ['cheap'], 'cheap', 'CHEAP'],
  ['nothing, where it offers none of the connector’s', 'RFID', ['other'], undefined],
  ['who pays at the charger is no partner’s driver', 'AD_HOC_USER', ['other'], 'ad-hoc'],
])('by agreement: %s', (_, tokenType, offered, id, profile = undefined as string | undefined) => {
  const tariffs = [regular, all, cheap, adHoc];
  expect(select(tariffs, { tokenType, profile, atMs, offered })?.id).toBe(id);
});

test('TAR-03: one published ahead leaves the one before in force until then, and one for a time leaves no gap behind it', () => {
  const base = tariff('T');
  const ahead = tariff('T', undefined, { start_date_time: '2022-03-01T00:00:00Z' });
  const forATime = tariff('T', undefined, { start_date_time: '2022-02-01T00:00:00Z', end_date_time: '2022-02-15T00:00:00Z' });
  const at = (date: string, ...versions: Tariff[]) => inForce(versions, instant(`${date}T12:00:00Z`), (one) => one);
  expect(at('2022-02-10', ahead, base)).toEqual({ begun: base, valid: base });
  expect(at('2022-03-01', ahead, base)).toEqual({ begun: ahead, valid: ahead });
  expect(at('2022-02-10', forATime, base)).toEqual({ begun: forATime, valid: forATime });
  expect(at('2022-02-20', forATime, base)).toEqual({ begun: forATime, valid: base });
  expect(at('2022-02-10', ahead)).toEqual({ begun: ahead, valid: undefined });
});
