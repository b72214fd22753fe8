import { expect, test } from 'vitest';
import { type z } from 'zod';
import { Cdr } from './cdrs.ts';
import { ChargingProfile } from './charging-profiles.ts';
import { StartSession } from './commands.ts';
import { Credentials } from './credentials.ts';
import {
  exampleCdr, exampleCreditCdr, exampleLocation, exampleSession, exampleTariff, exampleToken,
} from './examples.ts';
import { read } from './issues.ts';
import { chargesWhenClosed, Location, LocationPatch } from './locations.ts';
import { Session, SessionPatch } from './sessions.ts';
import { Tariff } from './tariffs.ts';
import { Token, TokenPatch } from './tokens.ts';

// Rules over more than one field; single fields are proved in test/field-tables.test.ts.

function says(schema: z.ZodType, value: unknown): string {
  const reading = read(schema, value);
  return reading.ok ? 'valid' : reading.message.replace(/ \(OCPI 2\.2\.1\)$/, '');
}

test('the North American examples are valid and come out unchanged', () => {
  const pairs: [z.ZodType, unknown][] = [
    [Location, exampleLocation], [Tariff, exampleTariff], [Token, exampleToken], [Session, exampleSession],
    [Cdr, exampleCdr], [Cdr, exampleCreditCdr],
  ];
  for (const [schema, example] of pairs) expect(schema.parse(example)).toStrictEqual(example);
});

test('LOC-35 a car goes on charging at a Location that is closed, unless it says that it does not', () => {
  for (const given of [{}, { charging_when_closed: null }, { charging_when_closed: true }]) {
    const location = read(Location, { ...exampleLocation, ...given });
    expect(location.ok && chargesWhenClosed(location.value)).toBe(true);
  }
  expect(chargesWhenClosed({ ...exampleLocation, charging_when_closed: false })).toBe(false);
});

test('LOC-06 who may see an unpublished Location is named by uid and type, visual number and issuer, or group', () => {
  const to = (entry: object) => says(Location, { ...exampleLocation, publish: false, publish_allowed_to: [entry] });
  expect(to({ uid: '04AB', type: 'RFID' })).toBe('valid');
  expect(to({ visual_number: '17', issuer: 'Carbon Plunk' })).toBe('valid');
  expect(to({ group_id: 'G1' })).toBe('valid');
  const none = 'publish_allowed_to[0].uid: one of uid, visual_number and group_id is required';
  expect(to({ issuer: 'Carbon Plunk' })).toBe(none);
  expect(to({ uid: '04AB' })).toBe('publish_allowed_to[0].type: is required beside uid');
  expect(to({ visual_number: '17' })).toBe('publish_allowed_to[0].issuer: is required beside visual_number');
});

test('LOC-08 the days of regular hours are 1, Monday, to 7', () => {
  const on = (weekday: number) => says(Location, {
    ...exampleLocation, opening_times: { twentyfourseven: false, regular_hours: [{ weekday, period_begin: '08:00', period_end: '20:00' }] },
  });
  expect([on(1), on(7)]).toEqual(['valid', 'valid']);
  for (const weekday of [0, 8]) expect(on(weekday), String(weekday)).toMatch(/^opening_times\.regular_hours\[0\]\.weekday: is not 1/);
});

test('LOC-31 TRN-62 a PATCH without last_updated is refused', () => {
  expect(says(LocationPatch, { name: 'Oasis' })).toBe('last_updated: is missing, a DateTime is required');
  expect(says(SessionPatch, { kwh: 1 })).toMatch(/^last_updated: is missing/);
  expect(says(TokenPatch, { valid: false })).toMatch(/^last_updated: is missing/);
});

test('LOC-32 TRN-64 null in a PATCH is no change, what is given has to be right', () => {
  const at = '2022-02-01T17:00:00Z';
  expect(LocationPatch.parse({ name: null, city: null, last_updated: at })).toStrictEqual({ last_updated: at });
  expect(says(LocationPatch, { country: 'CA', last_updated: at })).toMatch(/^country: must be an ISO 3166-1 alpha-3/);
});

test('LOC-33 an EVSE in a PATCH of its Location is named by uid and says only what changes', () => {
  const at = '2022-02-01T17:00:00Z';
  const patched = (evse: object) => says(LocationPatch, { evses: [evse], last_updated: at });
  expect(patched({ uid: 'DC1', status: 'CHARGING' })).toBe('valid');
  expect(patched({ status: 'CHARGING' })).toMatch(/^evses\[0\]\.uid: is missing/);
});

test('SES-06 a status RESERVED, as the text has it, is a RESERVATION', () => {
  expect(Session.parse({ ...exampleSession, status: 'RESERVED' }).status).toBe('RESERVATION');
});

test('SES-07 TRN-90 "#NA" is a reservation\'s EVSE, not a running charge\'s, and never an id', () => {
  const reservation = { ...exampleSession, status: 'RESERVATION', evse_uid: '#NA', connector_id: '#NA' };
  expect(says(Session, reservation)).toBe('valid');
  expect(says(Session, { ...reservation, status: 'ACTIVE' })).toMatch(/^evse_uid: "#NA" is not allowed while/);
  expect(says(Session, { ...reservation, evse_uid: '1', status: 'ACTIVE' })).toMatch(/^connector_id: "#NA" is not allowed while/);
  expect(says(Session, { ...exampleSession, id: '#NA' })).toMatch(/^id: "#NA" names nothing/);
  expect(says(Token, { ...exampleToken, uid: '' })).toBe('uid: is empty');
});

test('CDR-03 an id of more than 36 characters is only a Credit CDR\'s', () => {
  const id = 'x'.repeat(39);
  expect(says(Cdr, { ...exampleCdr, id })).toMatch(/^id: is longer than the 36 characters/);
  expect(says(Cdr, { ...exampleCreditCdr, id })).toBe('valid');
});

test('CDR-04 a Credit CDR names the CDR it credits', () => {
  const message = 'credit_reference_id: is required in a Credit CDR (mod_cdrs)';
  expect(says(Cdr, { ...exampleCdr, credit: true })).toBe(message);
});

test('CDR-06 a CDR has at least one period, and a period at least one dimension', () => {
  expect(says(Cdr, { ...exampleCdr, charging_periods: [] })).toBe('charging_periods: must hold at least one');
  const empty = { start_date_time: '2022-02-01T17:00:00Z', dimensions: [] };
  expect(says(Cdr, { ...exampleCdr, charging_periods: [empty] })).toMatch(/dimensions: must hold at least one$/);
});

test('CDR-13 "#NA" is the EVSE of a reservation that never became a session', () => {
  const cdr_location = { ...exampleCdr.cdr_location, evse_uid: '#NA', evse_id: '#NA', connector_id: '#NA' };
  expect(says(Cdr, { ...exampleCdr, cdr_location, total_energy: 0 })).toBe('valid');
  const message = says(Cdr, { ...exampleCdr, cdr_location });
  expect(message).toMatch(/^cdr_location\.evse_uid: "#NA" is only for a reservation/);
});

test('CDR-16 SES-11 dimensions of a Session that only inform are not in a CDR, and there is no FLAT', () => {
  const [first] = exampleCdr.charging_periods;
  const withType = (type: string) => [{ ...first!, dimensions: [...first!.dimensions, { type, volume: 40 }] }];
  const inCdr = (type: string) => says(Cdr, { ...exampleCdr, charging_periods: withType(type) });
  for (const type of ['CURRENT', 'ENERGY_EXPORT', 'ENERGY_IMPORT', 'POWER', 'STATE_OF_CHARGE']) {
    expect(inCdr(type), type).toMatch(/^charging_periods\[0\]\.dimensions: CURRENT, .* only for Sessions/);
    expect(says(Session, { ...exampleSession, charging_periods: withType(type) }), type).toBe('valid');
  }
  for (const type of ['MAX_CURRENT', 'MIN_CURRENT', 'MAX_POWER', 'MIN_POWER', 'PARKING_TIME', 'RESERVATION_TIME', 'TIME'])
    expect(inCdr(type), type).toBe('valid');
  expect(inCdr('FLAT')).toMatch(/unknown CdrDimensionType "FLAT"$/);
});

test('CDR-17 volumes may be negative: a car feeds back', () => {
  const charging_periods = [{ ...exampleCdr.charging_periods[0]!, dimensions: [{ type: 'ENERGY', volume: -1.25 }] }];
  expect(says(Cdr, { ...exampleCdr, charging_periods, total_energy: -1.25 })).toBe('valid');
});

test('CDR-20 signed meter values may be long, up to 5000 characters', () => {
  const signed = (plain_data: string) => ({
    encoding_method: 'OCMF', signed_values: [{ nature: 'Start', plain_data, signed_data: 'MEUCIQ==' }],
  });
  expect(says(Cdr, { ...exampleCdr, signed_data: signed('x'.repeat(5_000)) })).toBe('valid');
  expect(says(Cdr, { ...exampleCdr, signed_data: signed('x'.repeat(5_001)) })).toMatch(/longer than 5000 characters$/);
});

test('D18 a Location\'s whole address is taken in a CDR', () => {
  const cdr_location = { ...exampleCdr.cdr_location, address: 'x'.repeat(255) };
  expect(says(Cdr, { ...exampleCdr, cdr_location })).toBe('valid');
});

test('CMD-08 a START_SESSION with a connector names its EVSE', () => {
  const command = {
    response_url: 'https://plunk.example/ocpi/commands/1', token: exampleToken, location_id: 'OASIS-BBY',
  };
  expect(says(StartSession, command)).toBe('valid');
  expect(says(StartSession, { ...command, connector_id: '1' })).toMatch(/^evse_uid: is required beside connector_id/);
});

test('CHP-04 a limit has at most one decimal', () => {
  const withLimit = (limit: number) =>
    says(ChargingProfile, { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit }] });
  expect(withLimit(16.1)).toBe('valid');
  expect(withLimit(16.05)).toBe('charging_profile_period[0].limit: has more than one decimal');
  const atLeast = (min_charging_rate: number) => says(ChargingProfile, { charging_rate_unit: 'A', min_charging_rate });
  expect([atLeast(6.5), atLeast(6.25)]).toEqual(['valid', 'min_charging_rate: has more than one decimal']);
});

test('CRE-09 CRE-10 credentials hold a printable token, and each role of a party once', () => {
  const role = { role: 'CPO', country_code: 'CA', party_id: 'BCT', business_details: { name: 'Energy OASIS' } };
  const credentials = { token: 'a'.repeat(64), url: 'https://oasis.example/ocpi/versions', roles: [role] };
  expect(says(Credentials, credentials)).toBe('valid');
  expect(says(Credentials, { ...credentials, token: 'a b' })).toMatch(/^token: must be a token of 1 to 64 characters/);
  expect(says(Credentials, { ...credentials, roles: [] })).toBe('roles: must hold at least one');
  const twice = [role, { ...role, role: 'EMSP' }, { ...role, party_id: 'bct' }];
  const message = says(Credentials, { ...credentials, roles: twice });
  expect(message).toMatch(/^roles\[2\]: names the role CPO\/CA\/BCT a second time/);
});

test('TOK-12 a group_id may have 36 characters, whatever a station can hold', () => {
  expect(says(Token, { ...exampleToken, group_id: 'x'.repeat(36) })).toBe('valid');
});
