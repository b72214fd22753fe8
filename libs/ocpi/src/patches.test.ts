import { expect, test } from 'vitest';
import { exampleLocation, exampleSession, exampleToken } from './examples.ts';
import { sameId, sameParty } from './ids.ts';
import { Location } from './locations.ts';
import {
  findEvse, isStale, patchConnector, patchEvse, patchLocation, patchSession, patchToken, putConnector, putEvse,
  putLocation,
} from './patches.ts';
import { SessionPatch } from './sessions.ts';

const at = '2022-02-01T17:05:00Z';
const before = exampleLocation.last_updated;

test('TRN-72 ids and parties compare without regard to case', () => {
  expect(sameId('OASIS-bby', 'oasis-BBY')).toBe(true);
  expect(sameId('É', 'é')).toBe(false);
  expect(sameParty({ country_code: 'ca', party_id: 'bct' }, { country_code: 'CA', party_id: 'BCT' })).toBe(true);
});

test('LOC-01 a changed EVSE raises the last_updated of its Location', () => {
  const location = patchEvse(exampleLocation, 'dc1', { status: 'CHARGING', last_updated: at })!;
  expect(location.last_updated).toBe(at);
  expect(findEvse(location, 'DC1')).toMatchObject({ uid: 'DC1', status: 'CHARGING', last_updated: at });
  expect(findEvse(location, 'L2-01')).toBe(findEvse(exampleLocation, 'L2-01'));
});

test('LOC-01 a changed Connector raises its EVSE and its Location', () => {
  const location = patchConnector(exampleLocation, 'DC1', '2', { tariff_ids: ['NIGHT'], last_updated: at })!;
  const evse = findEvse(location, 'DC1')!;
  expect([location.last_updated, evse.last_updated, evse.connectors[1]!.last_updated]).toEqual([at, at, at]);
  expect(evse.connectors[1]).toMatchObject({ standard: 'CHADEMO', tariff_ids: ['NIGHT'] });
  expect(evse.connectors[0]!.last_updated).toBe(before);
});

test('LOC-01 an older child does not put the clock of its parents back', () => {
  const older = { ...exampleLocation.evses![0]!, last_updated: '2020-01-01T00:00:00Z' };
  expect(putEvse(exampleLocation, older).last_updated).toBe(before);
});

test('LOC-34 an EVSE or Connector of an unknown parent changes nothing', () => {
  expect(patchEvse(exampleLocation, 'DC9', { status: 'CHARGING', last_updated: at })).toBeUndefined();
  expect(patchConnector(exampleLocation, 'DC1', '9', { max_voltage: 400, last_updated: at })).toBeUndefined();
  expect(putConnector(exampleLocation, 'DC9', exampleLocation.evses![0]!.connectors[0]!)).toBeUndefined();
});

test('LOC-02 a new EVSE and a new Connector are added by PUT', () => {
  const evse = { ...exampleLocation.evses![1]!, uid: 'L2-02', last_updated: at };
  const location = putEvse(exampleLocation, evse);
  expect(location.evses?.map(({ uid }) => uid)).toEqual(['DC1', 'L2-01', 'L2-02']);
  const more = putConnector(location, 'L2-02', { ...evse.connectors[0]!, id: '2', last_updated: at })!;
  expect(findEvse(more, 'L2-02')!.connectors).toHaveLength(2);
});

test('LOC-03 LOC-33 an EVSE that a PUT leaves out becomes REMOVED', () => {
  const pushed = { ...exampleLocation, evses: [exampleLocation.evses![0]!], last_updated: at };
  const location = putLocation(exampleLocation, pushed);
  expect(location.evses?.map(({ uid, status }) => [uid, status])).toEqual([['DC1', 'AVAILABLE'], ['L2-01', 'REMOVED']]);
  expect(putLocation(location, { ...pushed }).evses![1]!.last_updated).toBe(at);
  expect(putLocation(undefined, pushed)).toBe(pushed);
});

test('TRN-60 a PUT replaces: optional fields that it leaves out are gone', () => {
  const { name: _, ...pushed } = exampleLocation;
  expect(putLocation(exampleLocation, pushed)).not.toHaveProperty('name');
  const { evse_id: __, ...evse } = exampleLocation.evses![0]!;
  expect(putEvse(exampleLocation, evse).evses![0]).toEqual(evse);
  const { tariff_ids: ___, ...connector } = evse.connectors[0]!;
  expect(putConnector(exampleLocation, 'DC1', connector)!.evses![0]!.connectors[0]).toEqual(connector);
});

test('TRN-61 LOC-32 a PATCH of a Location changes what it gives and nothing else', () => {
  const later = { ...exampleLocation, parking_places: [{ id: 'P1' }] } as Location;
  const location = patchLocation(later, { name: 'Oasis', city: null as never, last_updated: at });
  expect(location).toEqual({ ...later, name: 'Oasis', last_updated: at });
});

test('D11 LOC-33 EVSEs in a PATCH of a Location are merged by uid, none is dropped', () => {
  const evses = [{ uid: 'l2-01', status: 'INOPERATIVE' as const }];
  const location = patchLocation(exampleLocation, { evses, last_updated: at });
  expect(location.evses?.map(({ uid, status, last_updated }) => [uid, status, last_updated])).toEqual([
    ['DC1', 'AVAILABLE', before], ['L2-01', 'INOPERATIVE', at],
  ]);
});

test('D11 a new EVSE in a PATCH of a Location has to be whole', () => {
  const patched = patchLocation(exampleLocation, { evses: [{ uid: 'L2-02', status: 'PLANNED' }], last_updated: at });
  expect(Location.safeParse(patched).success).toBe(false);
});

const period = (start_date_time: string, volume: number) =>
  ({ start_date_time, dimensions: [{ type: 'ENERGY' as const, volume }], tariff_id: 'L2' });

test('SES-03 periods in a PATCH are appended', () => {
  const charging_periods = [period('2022-02-01T19:10:00Z', 0.6)];
  const patch = SessionPatch.parse({ kwh: 13, charging_periods, last_updated: at });
  const session = patchSession(exampleSession, patch);
  expect(session.charging_periods).toHaveLength(3);
  expect(session).toMatchObject({ kwh: 13, last_updated: at, status: 'COMPLETED' });
});

test('SES-03 no periods in a PATCH are no change', () => {
  for (const charging_periods of [undefined, []]) {
    const patched = patchSession(exampleSession, { last_updated: at, ...(charging_periods && { charging_periods }) });
    expect(patched.charging_periods).toEqual(exampleSession.charging_periods);
  }
});

test('D12 a PATCH sent twice counts once; the later one of the same start stands', () => {
  const patch = { charging_periods: [period('2022-02-01T19:10:00Z', 0.6)], last_updated: at };
  const twice = patchSession(patchSession(exampleSession, patch), {
    ...patch, charging_periods: [period('2022-02-01T19:10:00', 0.7)],
  });
  expect(twice.charging_periods).toHaveLength(3);
  expect(twice.charging_periods!.at(-1)!.dimensions[0]!.volume).toBe(0.7);
});

test('LOC-04 no PATCH gives a Location or a Session another name or owner', () => {
  const other = { country_code: 'NL', party_id: 'XYZ', id: 'OTHER', last_updated: at };
  expect(patchLocation(exampleLocation, other)).toEqual({ ...exampleLocation, last_updated: at });
  expect(patchSession(exampleSession, other)).toEqual({ ...exampleSession, last_updated: at });
});

test('TOK-02 a Token is made invalid, its key never changes', () => {
  const token = patchToken(exampleToken, { valid: false, uid: 'OTHER', last_updated: at });
  expect(token).toEqual({ ...exampleToken, valid: false, last_updated: at });
});

test('LOC-34 an object older than the one known is stale, the same one is not', () => {
  expect(isStale(exampleSession, { last_updated: '2022-02-01T19:14:59.999Z' })).toBe(true);
  expect(isStale(exampleSession, { last_updated: '2022-02-01T19:15:00' })).toBe(false);
});
