import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describedLocation, sameJson } from './own-locations.ts';

/** The members of all objects in the order of their names. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, ordered(member)]));
}
const text = (value: unknown) => JSON.stringify(ordered(value));
/** What JSON.parse gives. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const few = fc.letrec((tie) => ({
  value: fc.oneof(
    fc.constantFrom(0, 1, 'a', null, true),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), tie('value'), { maxKeys: 2 }),
  ),
})).value;

test('two JSON values are the same where their texts are, but for the order of members', () => {
  fc.assert(fc.property(few, few, (a, b) => {
    expect(sameJson(a, b)).toBe(text(a) === text(b));
  }), { numRuns: 2_000 });
  fc.assert(fc.property(json, (value) => {
    expect(sameJson(value, JSON.parse(text(value)))).toBe(true);
  }));
});

test('what is the operator\'s alone is in no Location that is told: stations, their connectors, and how meters stand', () => {
  const evse = {
    uid: 'E1',
    station: 'ST-1',
    meter_standing: 'approved' as const,
    connectors: [{ id: '1', station_connector: 1, tariff_ids: ['L2'] }],
  };
  const settings = { id: 'SITE', time_zone: 'America/Vancouver', private: false, meter_standing: 'none' as const, evses: [evse] };
  const described = describedLocation(settings, { country_code: 'CA', party_id: 'BCT' }, undefined, '2022-02-01T17:00:00Z');
  expect(JSON.stringify(described)).not.toMatch(/station|meter|private/);
  expect(described).toMatchObject({ id: 'SITE', evses: [{ uid: 'E1', connectors: [{ id: '1', tariff_ids: ['L2'] }] }] });
});

test('LOC-01 what the settings change of a Connector is as new as its EVSE and Location, and nothing else is', () => {
  const party = { country_code: 'CA', party_id: 'BCT' };
  const evse = (uid: string, ...tariffs: string[]) => ({
    uid, connectors: tariffs.map((tariff, n) => ({ id: String(n + 1), tariff_ids: [tariff] })),
  });
  const site = (...evses: ReturnType<typeof evse>[]) => ({ id: 'SITE', time_zone: 'America/Vancouver', private: false, evses });
  const [first, then] = ['2022-02-01T17:00:00Z', '2022-02-01T18:00:00Z'];
  const before = describedLocation(site(evse('E1', 'L2', 'L2'), evse('E2', 'L2')), party, undefined, first);
  const { last_updated, evses } = describedLocation(site(evse('E1', 'L2', 'NIGHT'), evse('E2', 'L2')), party, before, then);
  expect([last_updated, evses!.map((one) => [one.last_updated, ...one.connectors.map((connector) => connector.last_updated)])]).toEqual([
    then, [[then, first, then], [first, first]],
  ]);
});

test('a member that is undefined is none', () => {
  expect(sameJson({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(sameJson({ a: 1 }, { a: 1, b: undefined })).toBe(true);
  expect(sameJson({ a: undefined }, { b: undefined })).toBe(true);
  expect(sameJson({ a: undefined }, { a: null })).toBe(false);
});
