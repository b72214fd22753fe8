import { expect, test } from 'vitest';
import {
  type Connector, exampleCdr, exampleCreditCdr, exampleLocation, exampleSession, exampleTariff, exampleToken, type Location,
} from '#ocpi';
import type { Context } from './context.ts';
import { type Body, down, type OtherVersion, up, withdrawn } from './convert.ts';
import type { Converted } from './converted.ts';
import type { Kind } from './ocpi-221.ts';

const bct = { country_code: 'CA', party_id: 'BCT' };
const cpk = { country_code: 'CA', party_id: 'CPK' };
const context: Context = { owner: bct, other: cpk, now: '2026-02-01T17:00:00Z' };

function carried(made: Converted) {
  if (!made.ok) throw new Error(made.message);
  return made;
}
const to = (version: OtherVersion, kind: Kind, value: object, more: Partial<Context & Body> = {}) =>
  carried(down(version, { kind, patch: more.patch }, value, { ...context, ...more }));
const from = (version: OtherVersion, kind: Kind, value: unknown, more: Partial<Context & Body> = {}) =>
  carried(up(version, { kind, patch: more.patch, asked: more.asked }, value, { ...context, ...more }));
const refused = (made: Converted) => (made.ok ? 'carried' : `${made.why}: ${made.message}`);

test('2.1.1 a Location has a type, six decimals, a postal code and no party; what it has no name for is left out by name', () => {
  const { postal_code: _none, ...place } = exampleLocation;
  const { value, lost } = to('2.1.1', 'location', { ...place, coordinates: { latitude: '49.2488095', longitude: '-123.00230' } });
  expect(value).toMatchObject({
    id: 'OASIS-BBY',
    type: 'PARKING_LOT',
    postal_code: '-',
    country: 'CAN',
    coordinates: { latitude: '49.248810', longitude: '-123.002300' },
    facilities: ['WIFI'],
    opening_times: { twentyfourseven: true },
    evses: [
      {
        uid: 'DC1',
        connectors: [
          { standard: 'IEC_62196_T1_COMBO', voltage: 500, amperage: 125, tariff_id: 'DC-FAST' },
          { standard: 'CHADEMO' },
        ],
      },
      { uid: 'L2-01', connectors: [{ power_type: 'AC_1_PHASE', voltage: 208, amperage: 32, tariff_id: 'L2' }] },
    ],
  });
  for (const field of ['country_code', 'party_id', 'publish', 'state']) expect(value).not.toHaveProperty(field);
  expect(lost).toEqual(expect.arrayContaining([
    'postal_code: OCPI 2.1.1 requires one; "-" stands for none',
    'coordinates.latitude: is rounded to 6 decimals',
    'facilities: OCPI 2.1.1 has no PARKING_LOT',
    'evses[0].connectors[0].max_electric_power: OCPI 2.1.1 has no such field',
    'evses[1].connectors[0].power_type: OCPI 2.1.1 has no AC_2_PHASE; AC_1_PHASE is sent, with the voltage between the two lines',
    'state: OCPI 2.1.1 has no such field',
  ]));
});

test('2.1.1 a Connector whose plug has no name there is not sent; an EVSE with no other is not sent either', () => {
  const [dc, level2] = exampleLocation.evses!;
  const nema: Connector = { ...level2!.connectors[0]!, standard: 'NEMA_14_50' };
  const { value, lost } = to('2.1.1', 'location', { ...exampleLocation, evses: [dc, { ...level2, connectors: [nema] }] });
  expect((value.evses as { uid: string }[]).map(({ uid }) => uid)).toEqual(['DC1']);
  expect(lost).toContain('evses[1].connectors[0].standard: OCPI 2.1.1 has no NEMA_14_50; the Connector is not sent');
  expect(refused(down('2.1.1', { kind: 'evse' }, { ...level2, connectors: [nema] }, context))).toMatch(
    /^cannot-be-said: connectors: OCPI 2.1.1 knows none/,
  );
});

test('2.1.1 a Location that is not published is not sent; who knew it hears that its EVSEs are removed', () => {
  const hidden: Location = { ...exampleLocation, publish: false };
  expect(refused(down('2.1.1', { kind: 'location' }, hidden, context))).toMatch(/^unpublished: /);
  expect(
    refused(down('2.1.1', { kind: 'location', patch: true }, { publish: false, last_updated: context.now }, context)),
  ).toMatch(/^unpublished: /);
  expect((carried(withdrawn(hidden)).value.evses as { status: string }[]).map(({ status }) => status)).toEqual(['REMOVED', 'REMOVED']);
});

test('2.1.1 a Location without time_zone gets one of its country; three decimals and numbers are understood', () => {
  const { time_zone: _none, ...place } = to('2.1.1', 'location', exampleLocation).value;
  const { value, lost } = from('2.1.1', 'location', { ...place, coordinates: { latitude: 49.249, longitude: '-123.002' } });
  expect(value).toMatchObject({
    ...bct,
    publish: true,
    time_zone: 'America/Vancouver',
    coordinates: { latitude: '49.249000', longitude: '-123.002000' },
  });
  expect(lost).toEqual(['time_zone: is not given; America/Vancouver is taken, by the country and the coordinates']);
});

test('2.1.1 a PATCH says what it changes; without last_updated the time of the request is taken', () => {
  expect(to('2.1.1', 'evse', { status: 'CHARGING', last_updated: context.now }, { patch: true })).toEqual({
    ok: true, value: { status: 'CHARGING', last_updated: context.now }, lost: [],
  });
  expect(from('2.1.1', 'session', { total_cost: 0.6 }, { patch: true })).toEqual({
    ok: true,
    value: { total_cost: { excl_vat: 0.6 }, last_updated: context.now },
    lost: ['last_updated: is not given; the time of the request is taken'],
  });
  expect(from('2.1.1', 'connector', { voltage: 400, last_updated: context.now }, { patch: true }).value).toEqual({
    max_voltage: 400,
    last_updated: context.now,
  });
});

test('2.1.1 a Session holds its place, with the one EVSE and Connector, the auth_id and a cost without VAT', () => {
  const { value, lost } = to('2.1.1', 'session', exampleSession, { location: exampleLocation });
  expect(value).toMatchObject({
    start_datetime: '2022-02-01T17:00:00Z',
    end_datetime: '2022-02-01T19:15:00Z',
    auth_id: 'CA-CPK-C00000017-2',
    total_cost: 4.47,
    location: { id: 'OASIS-BBY', evses: [{ uid: 'L2-01', connectors: [{ id: '1' }] }] },
    charging_periods: [
      { dimensions: [{ type: 'ENERGY' }, { type: 'TIME' }, { type: 'MAX_CURRENT' }] },
      { dimensions: [{ type: 'PARKING_TIME' }] },
    ],
  });
  expect(lost).toContain('total_cost.incl_vat: costs are excluding VAT in OCPI 2.1.1');
  expect(refused(down('2.1.1', { kind: 'session' }, exampleSession, context))).toMatch(/^cannot-be-said: location_id: /);
  const known = from('2.1.1', 'session', value, { cdrToken: exampleSession.cdr_token });
  expect(known.value).toMatchObject({
    cdr_token: exampleSession.cdr_token,
    location_id: 'OASIS-BBY',
    evse_uid: 'L2-01',
    connector_id: '1',
  });
  const unknown = from('2.1.1', 'session', value);
  expect(unknown.value).toMatchObject({ cdr_token: { ...cpk, uid: 'CA-CPK-C00000017-2', type: 'OTHER' } });
  expect(unknown.lost).toEqual(['auth_id: is of no known Token; it stands for its uid']);
});

test('2.1.1 charging_periods in a PATCH are not said: the whole Session is', () => {
  const patch = { charging_periods: exampleSession.charging_periods, last_updated: context.now };
  expect(refused(down('2.1.1', { kind: 'session', patch: true }, patch, context))).toMatch(/^cannot-be-said: charging_periods/);
});

test('2.1.1 a CDR costs what it costs without VAT; FLAT among its dimensions is understood; a Credit CDR is refused', () => {
  const { value } = to('2.1.1', 'cdr', exampleCdr);
  expect(value).toMatchObject({
    stop_date_time: exampleCdr.end_date_time,
    auth_id: 'CA-CPK-C00000017-2',
    total_cost: 4.47,
    total_energy: 12.4,
    tariffs: [{ id: 'L2' }],
    location: {
      type: 'UNKNOWN',
      evses: [
        { uid: 'L2-01', status: 'UNKNOWN', connectors: [{ standard: 'IEC_62196_T1', power_type: 'AC_1_PHASE' }] },
      ],
    },
  });
  const [period, ...others] = value.charging_periods as { dimensions: object[] }[];
  const flat = { ...value, charging_periods: [{ ...period, dimensions: [{ type: 'FLAT', volume: 1 }] }, ...others] };
  expect(from('2.1.1', 'cdr', flat).value.charging_periods).toMatchObject([{ dimensions: [{ type: 'ENERGY', volume: 0 }] }, {}]);
  expect(refused(down('2.1.1', { kind: 'cdr' }, exampleCreditCdr, context))).toMatch(
    /^cannot-be-said: credit: OCPI 2.1.1 has no Credit CDR/,
  );
});

test('2.1.1 a CDR of another of our parties than the link\'s is not said: it would be taken for that one\'s', () => {
  const others = { ...exampleCdr, party_id: 'SIB' };
  expect(refused(down('2.1.1', { kind: 'cdr' }, others, context))).toMatch(/^cannot-be-said: party_id: .* CA\*BCT/);
  const { country_code, party_id } = context.other;
  expect(to('2.1.1', 'cdr', { ...exampleCdr, country_code, party_id }).value, 'read again by who sent it').toMatchObject({ total_cost: 4.47 });
});

test('2.1.1 a CDR that replaces a credited one is not said: without the Credit CDR it would be a second bill', () => {
  const numbered = (n: string) => ({ ...exampleCdr, id: `${exampleCdr.session_id}${n}` });
  for (const n of ['-2', '-10']) expect(refused(down('2.1.1', { kind: 'cdr' }, numbered(n), context))).toMatch(/^cannot-be-said: id: .* second bill/);
  for (const n of ['-1', 'x-2', '']) expect(to('2.1.1', 'cdr', numbered(n)).value).toMatchObject({ total_cost: 4.47 });
});

test('2.1.1 a charge on a plug without a name there is still billed, under a stand-in that is named', () => {
  const place = { ...exampleCdr.cdr_location, connector_standard: 'NEMA_14_50' as const };
  const { value, lost } = to('2.1.1', 'cdr', { ...exampleCdr, cdr_location: place });
  expect(value.location).toMatchObject({ evses: [{ connectors: [{ standard: 'DOMESTIC_B' }] }] });
  expect(lost).toContain('cdr_location.connector_standard: OCPI 2.1.1 has no NEMA_14_50; DOMESTIC_B stands for it');
});

test('2.1.1 a Tariff that would mean something else is not sent', () => {
  const { value, lost } = to('2.1.1', 'tariff', exampleTariff);
  expect(value).toEqual({
    id: 'L2',
    currency: 'CAD',
    tariff_alt_text: exampleTariff.tariff_alt_text,
    last_updated: exampleTariff.last_updated,
    elements: [
      { price_components: [{ type: 'ENERGY', price: 0.3, step_size: 1 }] },
      { price_components: [{ type: 'PARKING_TIME', price: 3, step_size: 60 }] },
    ],
  });
  expect(lost).toEqual(
    expect.arrayContaining([
      'elements[0].price_components[0].vat: OCPI 2.1.1 has no such field',
      'type: OCPI 2.1.1 has no such field',
    ]),
  );
  const restricted = (restrictions: object) => ({ ...exampleTariff, elements: [{ ...exampleTariff.elements[0]!, restrictions }] });
  const fate = (tariff: object) => refused(down('2.1.1', { kind: 'tariff' }, tariff, context));
  expect(fate(restricted({ max_current: 32 }))).toMatch(/^cannot-be-said: restrictions.max_current/);
  expect(fate(restricted({ reservation: 'RESERVATION' }))).toMatch(/^cannot-be-said: elements: all are for reservations/);
  expect(fate({ ...exampleTariff, start_date_time: '2026-03-01T00:00:00Z' })).toMatch(/^unpublished: start_date_time/);
  expect(fate({ ...exampleTariff, end_date_time: context.now })).toMatch(/^unpublished: end_date_time/);
  expect(fate({ ...exampleTariff, end_date_time: '2026-03-01T00:00:00Z' })).toBe('carried');
  expect(fate({ ...exampleTariff, type: 'AD_HOC_PAYMENT' })).toMatch(/^unpublished: type: AD_HOC_PAYMENT is for none who comes by contract/);
  expect(fate({ ...exampleTariff, type: 'PROFILE_FAST' })).toMatch(/^unpublished: type: PROFILE_FAST is for drivers with that profile/);
});

test('2.1.1 an app user is an OTHER token; the contract is the auth_id', () => {
  const { value, lost } = to('2.1.1', 'token', { ...exampleToken, type: 'APP_USER', group_id: 'G1' }, { owner: cpk });
  expect(value).toMatchObject({ uid: exampleToken.uid, type: 'OTHER', auth_id: exampleToken.contract_id });
  expect(lost).toEqual(['type: OCPI 2.1.1 has no APP_USER; OTHER is sent', 'group_id: OCPI 2.1.1 has no such field']);
  expect(from('2.1.1', 'token', value, { owner: cpk }).value).toMatchObject({ ...cpk, contract_id: exampleToken.contract_id });
});

test('2.1.1 an answer to authorize holds no Token: the one that was asked about is put in', () => {
  const info = to('2.1.1', 'authorization', { allowed: 'ALLOWED', token: exampleToken, authorization_reference: 'A1' });
  expect(info).toEqual({ ok: true, value: { allowed: 'ALLOWED' }, lost: ['authorization_reference: OCPI 2.1.1 has no such field'] });
  expect(from('2.1.1', 'authorization', info.value, { token: exampleToken }).value).toEqual({ allowed: 'ALLOWED', token: exampleToken });
  const stranger = from('2.1.1', 'authorization', info.value, { owner: cpk, asked: { uid: '04FF', type: 'RFID' } });
  expect(stranger.value).toMatchObject({ token: { ...cpk, uid: '04FF', type: 'RFID', contract_id: '04FF', whitelist: 'NEVER' } });
});

test('2.1.1 commands: a numeric reservation, no cancelling, and results within five words', () => {
  const reserve = { response_url: 'https://e.example/r', token: exampleToken, expiry_date: context.now, location_id: 'L' };
  expect(to('2.1.1', 'RESERVE_NOW', { ...reserve, reservation_id: '17' }).value).toMatchObject({ reservation_id: 17 });
  const odd = to('2.1.1', 'RESERVE_NOW', { ...reserve, reservation_id: 'R-17' });
  expect(odd.lost.at(-1)).toBe('reservation_id: is a number in OCPI 2.1.1; one that is made of it stands for it');
  expect(
    refused(
      down(
        '2.1.1',
        { kind: 'CANCEL_RESERVATION' },
        { response_url: reserve.response_url, reservation_id: '17' },
        context,
      ),
    ),
  ).toMatch(/^cannot-be-said/);
  expect(from('2.1.1', 'response', { result: 'TIMEOUT' }).value).toEqual({ result: 'REJECTED', timeout: 30 });
  expect(from('2.1.1', 'result', { result: 'UNKNOWN_SESSION' }).value).toEqual({ result: 'FAILED' });
  expect(
    to('2.1.1', 'result', { result: 'EVSE_OCCUPIED', message: [{ language: 'en', text: 'A car is there' }] }),
  ).toMatchObject({
    value: { result: 'REJECTED' },
    lost: ['result: OCPI 2.1.1 has no EVSE_OCCUPIED; REJECTED is sent', 'message: OCPI 2.1.1 has no such field'],
  });
});

test('2.1.1 credentials name one party and no roles', () => {
  const business_details = { name: 'Energy OASIS' };
  const credentials = {
    token: 't',
    url: 'https://o.example/versions',
    roles: [
      { role: 'CPO', ...bct, business_details },
      { role: 'EMSP', ...cpk, business_details },
    ],
  };
  const { value, lost } = to('2.1.1', 'credentials', credentials);
  expect(value).toEqual({ token: 't', url: 'https://o.example/versions', ...bct, business_details });
  expect(lost).toEqual(['roles: OCPI 2.1.1 has one party a platform; CA*CPK is not named']);
  expect(from('2.1.1', 'credentials', value, { roles: ['CPO'] }).value).toEqual({ ...credentials, roles: [credentials.roles[0]] });
});

test('what is wrong in an object of 2.1.1 is said in its own words', () => {
  const { stop_date_time: _none, ...cdr } = to('2.1.1', 'cdr', exampleCdr).value;
  expect(refused(up('2.1.1', { kind: 'cdr' }, cdr, context))).toBe(
    'invalid: stop_date_time: is missing, a DateTime is required (OCPI 2.1.1)',
  );
});

test('2.3.0 a price is before taxes, with the taxes beside it, to the last digit', () => {
  const { value } = to('2.3.0', 'session', { ...exampleSession, total_cost: { excl_vat: 4.47, incl_vat: 4.6935 } });
  expect(value.total_cost).toEqual({ before_taxes: 4.47, taxes: [{ name: 'VAT', amount: 0.2235 }] });
  const taxes = [{ name: 'GST', percentage: 5, account_number: '123 RT', amount: 0.2235 }, { name: 'PST', amount: 0.3129 }];
  const { value: back, lost } = from('2.3.0', 'session', { ...value, total_cost: { before_taxes: 4.47, taxes } });
  expect(back.total_cost).toEqual({ excl_vat: 4.47, incl_vat: 5.0064 });
  expect(lost).toEqual(['total_cost.taxes: OCPI 2.2.1 has one sum with VAT; GST, PST are added up']);
});

test('2.1.1 a Tariff goes without its min_price and max_price, and what that means is named', () => {
  const { value, lost } = to('2.1.1', 'tariff', { ...exampleTariff, min_price: { excl_vat: 1 }, max_price: { excl_vat: 9 } });
  expect([value.min_price, value.max_price]).toEqual([undefined, undefined]);
  expect(lost).toEqual(expect.arrayContaining([
    expect.stringMatching(/^min_price: .*no least that a charge costs, and are billed by it$/),
    expect.stringMatching(/^max_price: .*no most that a charge costs, and are billed by it$/),
  ]));
});

test('2.3.0 a Tariff says whether taxes are in its prices; ours are without', () => {
  const limited = { ...exampleTariff, min_price: { excl_vat: 1, incl_vat: 1.05 } };
  const { value } = to('2.3.0', 'tariff', limited);
  expect(value).toMatchObject({ tax_included: 'NO', min_price: { before_taxes: 1, after_taxes: 1.05 } });
  expect(from('2.3.0', 'tariff', value).value).toEqual(limited);
  const component = (price: number, vat?: number) => [
    { price_components: [{ type: 'TIME', price, step_size: 60, ...(vat === undefined ? {} : { vat }) }] },
  ];
  const taken = (tax_included: string, price: number, vat?: number) => {
    const made = from('2.3.0', 'tariff', { ...value, tax_included, elements: component(price, vat) });
    return [(made.value.elements as ReturnType<typeof component>)[0]!.price_components[0], made.lost.join()];
  };
  expect(taken('YES', 2.1, 5)).toEqual([{ type: 'TIME', price: 2, step_size: 60, vat: 5 }, '']);
  expect(taken('YES', 1, 19)).toEqual([
    { type: 'TIME', price: 0.84033613445379, step_size: 60, vat: 19 },
    expect.stringMatching(/it is rounded to 0\.84033613445379/),
  ]);
  expect(taken('YES', 2.1)).toEqual([{ type: 'TIME', price: 2.1, step_size: 60 }, expect.stringMatching(/taxes of an unknown rate/)]);
  expect(taken('N/A', 2.1, 5)).toEqual([{ type: 'TIME', price: 2.1, step_size: 60 }, expect.stringMatching(/no taxes apply/)]);
});

test('2.3.0 what is new stays on the object; an unknown plug is left out of a Location and stood in for in a CDR', () => {
  const [dc, level2] = exampleLocation.evses!;
  const mcs = { ...dc!.connectors[0]!, id: '3', standard: 'MCS' };
  const parking = { id: 'P1', vehicle_types: ['BUS'], restricted_to_type: true, reservation_required: false };
  const { value, lost } = from('2.3.0', 'location', {
    ...exampleLocation,
    evses: [{ ...dc, connectors: [...dc!.connectors, mcs] }, level2],
    parking_places: [parking],
    help_phone: '+1 604 555 0100',
    images: [{ url: 'https://o.example/i.png', category: 'DRONE', type: 'png' }],
  });
  expect(value).toMatchObject({ parking_places: [parking], help_phone: '+1 604 555 0100', images: [] });
  expect((value.evses as { connectors: object[] }[])[0]!.connectors).toHaveLength(2);
  expect(lost).toEqual([
    'evses[0].connectors[2].standard: OCPI 2.2.1 has no MCS; the Connector is left out',
    'images[0].category: OCPI 2.2.1 has no DRONE; the image is left out',
  ]);
  const sent = to('2.3.0', 'cdr', exampleCdr).value;
  const cdr = from('2.3.0', 'cdr', { ...sent, cdr_location: { ...exampleCdr.cdr_location, connector_standard: 'SAE_J3400' } });
  expect(cdr.value.cdr_location).toMatchObject({ connector_standard: 'TESLA_S' });
  expect(from('2.3.0', 'token', { ...exampleToken, type: 'EMAID' }).value).toMatchObject({ type: 'OTHER' });
});

test('2.3.0 a Hub is no role, and a role that 2.2.1 does not know is left out', () => {
  const business_details = { name: 'A Hub' };
  const credentials = {
    token: 't',
    url: 'https://h.example/versions',
    roles: [{ role: 'HUB', country_code: 'CA', party_id: 'HUB', business_details }],
  };
  const hub = to('2.3.0', 'credentials', credentials).value;
  expect(hub).toMatchObject({ hub_party_id: 'CAHUB', roles: [{ role: 'OTHER' }] });
  expect(from('2.3.0', 'credentials', hub).value).toEqual(credentials);
  const listing = { ...hub, roles: [{ role: 'EMSP', ...cpk, business_details }] };
  expect(from('2.3.0', 'credentials', listing).value.roles).toMatchObject([{ role: 'EMSP' }, { role: 'HUB', country_code: 'CA', party_id: 'HUB' }]);
  const roles = [{ role: 'PTP', ...bct, business_details }, { role: 'CPO', ...bct, business_details }];
  expect(from('2.3.0', 'credentials', { ...credentials, roles }).value.roles).toEqual([roles[1]]);
});
