import { expect, test } from 'vitest';
import type { z } from 'zod';
import { classes, enums } from '../test/catalogue.ts';
import { exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken } from './examples.ts';
import { read } from './issues.ts';
import { patchConnector, patchEvse, putEvse } from './patches.ts';
import { routes } from './routes.ts';

// What OCPI says of its objects, one rule after the other.

const at = '2022-02-01T17:05:00Z';

function says(schema: z.ZodType, value: unknown): string {
  const reading = read(schema, value);
  return reading.ok ? 'valid' : reading.message.replace(/ \(OCPI 2\.2\.1\)$/, '');
}

/** What is said of `object` without one of its fields. */
function without(schema: z.ZodType, object: object, field: string): string {
  const { [field]: _, ...rest } = object as Record<string, unknown>;
  return says(schema, rest);
}

test('TRN-12 every field of every class is in lower case with underscores', () => {
  const names = Object.values(classes).flatMap(({ shape }) => Object.keys(shape));
  expect(names.length).toBeGreaterThan(250);
  expect(names.filter((name) => !/^[a-z]+(_[a-z0-9]+)*$/.test(name))).toEqual([]);
});

test('TRN-14 whatever can be pushed can be pulled, as a list or by its URL', () => {
  const pushed = new Set(routes.filter(({ role, method, body }) => role === 'RECEIVER' && method !== 'GET' && body)
    .map(({ module }) => module));
  for (const module of ['commands', 'chargingprofiles'] as const) pushed.delete(module); // Nobody owns what they say.
  for (const module of pushed) {
    const list = routes.find((route) => route.module === module && route.role === 'SENDER' && route.method === 'GET' && route.path === '');
    expect(list?.list, module).toBeDefined();
    expect(routes.some((route) => route.module === module && route.role === 'RECEIVER' && route.method === 'GET'), module).toBe(true);
  }
});

test('TYP-05 a Price has a number without VAT, and one with VAT where it is known', () => {
  expect(says(classes.Price, { excl_vat: 4.47 })).toBe('valid');
  expect(says(classes.Price, { excl_vat: 4.47, incl_vat: 4.6935 })).toBe('valid');
  expect(says(classes.Price, { incl_vat: 4.47 })).toMatch(/^excl_vat: is missing/);
  expect(says(classes.Price, { excl_vat: '4.47' })).toMatch(/^excl_vat: must be a JSON number/);
});

test('TYP-06 a URL is absolute and has at most 255 characters', () => {
  const tariff = (tariff_alt_url: string) => says(classes.Tariff, { ...exampleTariff, tariff_alt_url });
  expect(tariff('https://oasis.example/'.padEnd(255, 'x'))).toBe('valid');
  expect(tariff('https://oasis.example/'.padEnd(256, 'x'))).toMatch(/longer than 255 characters/);
  expect(tariff('/tariffs/L2')).toMatch(/must be an absolute http\(s\) URL/);
});

test('TYP-07 a DisplayText has a language of two letters and at most 512 characters', () => {
  const shown = (language: string, text: string) => says(classes.DisplayText, { language, text });
  expect(shown('fr', 'é'.repeat(512))).toBe('valid');
  expect(shown('fr', 'é'.repeat(513))).toMatch(/^text: is longer than 512/);
  expect(shown('fra', 'é')).toMatch(/^language: must be an ISO 639-1/);
});

test('TYP-09 the roles are seven, in capitals', () => {
  expect(enums.Role.options).toEqual(['CPO', 'EMSP', 'HUB', 'NAP', 'NSP', 'OTHER', 'SCSP']);
  expect(says(enums.Role, 'cpo')).toBe('unknown Role "cpo"');
});

test('TYP-10 a party is of a country of two letters, a place of one of three; currencies have three', () => {
  expect(says(classes.Location, { ...exampleLocation, country: 'CA' })).toMatch(/^country: must be an ISO 3166-1 alpha-3/);
  expect(says(classes.Location, { ...exampleLocation, country_code: 'CAN' })).toMatch(/^country_code: must be an ISO 3166-1 alpha-2/);
  expect(says(classes.CdrLocation, { ...exampleCdr.cdr_location, country: 'CA' })).toMatch(/^country: must be/);
  expect(says(classes.Tariff, { ...exampleTariff, currency: '$' })).toMatch(/^currency: must be an ISO 4217/);
  expect(says(classes.Token, { ...exampleToken, language: 'eng' })).toMatch(/^language: must be an ISO 639-1/);
});

test('LOC-04 ids never change, and the id of a Connector is its EVSE\'s alone', () => {
  const renamed = patchEvse(exampleLocation, 'DC1', { uid: 'DC2', status: 'CHARGING', last_updated: at })!;
  expect(renamed.evses!.map(({ uid }) => uid)).toEqual(['DC1', 'L2-01']);
  const patched = patchConnector(exampleLocation, 'L2-01', '1', { id: '9', max_amperage: 16, last_updated: at })!;
  expect(patched.evses!.map(({ connectors }) => connectors.map(({ id, max_amperage }) => `${id} ${max_amperage}`))).toEqual([
    ['1 125', '2 125'], ['1 16'],
  ]);
});

test('LOC-05 an EVSE may have no evse_id, and a REMOVED one may lose it', () => {
  const { evse_id: _, ...unnamed } = exampleLocation.evses![0]!;
  const removed = { ...unnamed, status: 'REMOVED' as const, last_updated: at };
  expect(says(classes.EVSE, unnamed)).toBe('valid');
  expect(putEvse(exampleLocation, removed).evses![0]).toEqual(removed);
});

test('LOC-10 a Location has a time zone', () => {
  expect(without(classes.Location, exampleLocation, 'time_zone')).toMatch(/^time_zone: is missing/);
});

test('LOC-13 a status that is scheduled is not yet the status', () => {
  const status_schedule = [{ period_begin: '2022-02-01T17:00:00Z', status: 'INOPERATIVE' as const }];
  const location = patchEvse(exampleLocation, 'DC1', { status_schedule, last_updated: at })!;
  expect(location.evses![0]).toMatchObject({ status: 'AVAILABLE', status_schedule });
});

test('SES-06 a Session is in one of five states', () => {
  expect([...enums.SessionStatus.options].sort()).toEqual(['ACTIVE', 'COMPLETED', 'INVALID', 'PENDING', 'RESERVATION']);
});

test('SES-08 no cost is not a cost of nothing', () => {
  const { total_cost: _, ...unknown } = exampleSession;
  expect(classes.Session.parse(unknown)).not.toHaveProperty('total_cost');
  expect(classes.Session.parse({ ...unknown, total_cost: { excl_vat: 0 } }).total_cost).toEqual({ excl_vat: 0 });
});

test('SES-10 a Session has its currency and kwh from the start', () => {
  expect(without(classes.Session, exampleSession, 'currency')).toMatch(/^currency: is missing/);
  expect(without(classes.Session, exampleSession, 'kwh')).toMatch(/^kwh: is missing/);
  expect(says(classes.Session, { ...exampleSession, kwh: 0 })).toBe('valid');
});

test('CDR-09 a CDR may be of no Session', () => {
  expect(without(classes.CDR, exampleCdr, 'session_id')).toBe('valid');
});

test('CDR-14 the place of a CDR has an evse_id, its token a party', () => {
  expect(without(classes.CdrLocation, exampleCdr.cdr_location, 'evse_id')).toMatch(/^evse_id: is missing/);
  for (const field of ['country_code', 'party_id']) {
    expect(without(classes.CdrToken, exampleCdr.cdr_token, field)).toMatch(new RegExp(`^${field}: is missing`));
  }
});

test('CDR-18 a CDR of a charge at home says that the driver is paid the energy', () => {
  expect(classes.CDR.parse({ ...exampleCdr, home_charging_compensation: true }).home_charging_compensation).toBe(true);
  expect(says(classes.CDR, { ...exampleCdr, home_charging_compensation: 'yes' })).toMatch(/^home_charging_compensation: /);
});

test('CDR-19 times that are not known are the epoch, written as a DateTime', () => {
  const unknown = (start_date_time: string) => says(classes.CDR, { ...exampleCdr, start_date_time });
  expect(unknown('1970-01-01T00:00:00Z')).toBe('valid');
  expect(unknown('1970-1-1T00:00:00Z')).toMatch(/^start_date_time: must be a DateTime/);
});

test('TOK-13 a Token has its issuer, contract, validity and whitelist type', () => {
  for (const field of ['issuer', 'contract_id', 'valid', 'whitelist']) {
    expect(without(classes.Token, exampleToken, field), field).toMatch(new RegExp(`^${field}: is missing`));
  }
  expect(says(classes.Token, { ...exampleToken, energy_contract: { contract_id: 'E-1' } })).toMatch(
    /^energy_contract\.supplier_name: is missing/,
  );
});

test('TOK-12 a token is one of four types', () => {
  expect(enums.TokenType.options).toEqual(['AD_HOC_USER', 'APP_USER', 'OTHER', 'RFID']);
});

test('CMD-02 a response says one of four words, a result one of nine; TIMEOUT is a result only', () => {
  expect([...enums.CommandResponseType.options].sort()).toEqual(['ACCEPTED', 'NOT_SUPPORTED', 'REJECTED', 'UNKNOWN_SESSION']);
  expect(enums.CommandResultType.options).toHaveLength(9);
  expect(says(classes.CommandResponse, { result: 'TIMEOUT', timeout: 5 })).toMatch(/unknown CommandResponseType "TIMEOUT"/);
  expect(says(classes.CommandResult, { result: 'TIMEOUT' })).toBe('valid');
});

test('CMD-01 a response says how long to wait, in whole seconds', () => {
  expect(says(classes.CommandResponse, { result: 'ACCEPTED' })).toMatch(/^timeout: is missing/);
  expect(says(classes.CommandResponse, { result: 'ACCEPTED', timeout: 2.5 })).toMatch(/^timeout: must be a whole number/);
});

test('HCI-01 a ClientInfo has its party, role, status and last_updated', () => {
  const info = { country_code: 'CA', party_id: 'BCT', role: 'CPO', status: 'CONNECTED', last_updated: at };
  expect(says(classes.ClientInfo, info)).toBe('valid');
  for (const field of Object.keys(info))
    expect(without(classes.ClientInfo, info, field), field).toMatch(new RegExp(`^${field}: is missing`));
  expect(enums.ConnectionStatus.options).toEqual(['CONNECTED', 'OFFLINE', 'PLANNED', 'SUSPENDED']);
});
