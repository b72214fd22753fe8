import { describe, expect, test } from 'vitest';
import { exampleLocation, exampleSession, exampleTariff, exampleToken, type Session } from '#ocpi';
import { instant } from '#time';
import { type Compared, difference, type PushedModule } from './difference.ts';

const text = (object: object | undefined) => (object === undefined ? undefined : JSON.stringify(object));
function steps(module: PushedModule, was: object | undefined, is: object | undefined, more: Partial<Compared> = {}) {
  return difference(module, { current: text(is), acknowledged: text(was), unclear: false, ...more })
    .map(({ method, path, body }) => [method, path.join('/'), body === '' ? undefined : JSON.parse(body)]);
}
const at = '2022-02-01T20:00:00Z';
const evse = exampleLocation.evses![1]!;
const withEvse = (changed: object) =>
  ({ ...exampleLocation, evses: [exampleLocation.evses![0]!, { ...evse, ...changed }], last_updated: at });

test('what a partner never had is PUT', () => {
  expect(steps('tokens', undefined, exampleToken)).toEqual([['PUT', '', exampleToken]]);
});

test('what a partner has is not said again', () => {
  for (const [module, object] of [['tokens', exampleToken], ['sessions', exampleSession], ['locations', exampleLocation]] as const) {
    expect(steps(module, object, object)).toEqual([]);
  }
});

test('where the last answer was unclear, the whole object is PUT', () => {
  expect(steps('sessions', exampleSession, { ...exampleSession, kwh: 13 }, { unclear: true })).toEqual([
    ['PUT', '', { ...exampleSession, kwh: 13 }],
  ]);
  expect(steps('tokens', exampleToken, exampleToken, { unclear: true })).toHaveLength(1);
});

test('TAR-01 a tariff is PUT whole and DELETEd when it is withdrawn', () => {
  const changed = { ...exampleTariff, last_updated: at };
  expect(steps('tariffs', exampleTariff, changed)).toEqual([['PUT', '', changed]]);
  expect(steps('tariffs', exampleTariff, undefined)).toEqual([['DELETE', '', undefined]]);
  expect(steps('tariffs', undefined, undefined)).toEqual([]);
  expect(steps('tariffs', undefined, undefined, { unclear: true })).toHaveLength(1);
});

test('LOC-02 an EVSE that changed its status is a PATCH of the EVSE', () => {
  expect(steps('locations', exampleLocation, withEvse({ status: 'CHARGING', last_updated: at }))).toEqual([
    ['PATCH', 'L2-01', { status: 'CHARGING', last_updated: at }],
  ]);
});

describe('LOC-02 an EVSE whose connectors are newer and otherwise as they were', () => {
  const connectors = evse.connectors.map((one) => ({ ...one, last_updated: at }));
  const newer = withEvse({ connectors, last_updated: at });
  test('is no change, and not said, where they are as new as what is granted', () => {
    expect(steps('locations', exampleLocation, newer, { grantedMs: instant(at) })).toEqual([]);
    expect(steps('locations', exampleLocation, withEvse({ connectors, status: 'CHARGING', last_updated: at }), { grantedMs: instant(at) })).toMatchObject([
      ['PUT', 'L2-01', { status: 'CHARGING', connectors }],
    ]);
  });
  test('is said where a Connector changed and came back: the partner may have pulled in between', () => {
    for (const grantedMs of [undefined, instant(at) - 1_000])
      expect(steps('locations', exampleLocation, newer, { grantedMs })).toMatchObject([['PUT', 'L2-01', { connectors }]]);
  });
});

test('LOC-02 a status that went and came back since the partner was told is told with its time', () => {
  expect(steps('locations', exampleLocation, withEvse({ last_updated: at }))).toEqual([['PATCH', 'L2-01', { last_updated: at }]]);
});

test("a Location's own fields are a PATCH of it without its EVSEs", () => {
  expect(steps('locations', exampleLocation, { ...exampleLocation, name: 'OASIS', last_updated: at })).toEqual([
    ['PATCH', '', { name: 'OASIS', last_updated: at }],
  ]);
});

test('an EVSE with changed Connectors, a new one, and one that lost a field are PUT', () => {
  const plug = { ...evse.connectors[0]!, max_amperage: 16, last_updated: at };
  expect(steps('locations', exampleLocation, withEvse({ connectors: [plug], last_updated: at }))).toMatchObject([
    ['PUT', 'L2-01', { connectors: [plug] }],
  ]);
  const added = { ...exampleLocation, evses: [...exampleLocation.evses!, { ...evse, uid: 'L2-02' }], last_updated: at };
  expect(steps('locations', exampleLocation, added)).toMatchObject([['PUT', 'L2-02', { uid: 'L2-02' }]]);
  expect(steps('locations', exampleLocation, withEvse({ evse_id: undefined, last_updated: at }))).toMatchObject([
    ['PUT', 'L2-01', { uid: 'L2-01' }],
  ]);
});

test('LOC-32 a Location that lost a field or an EVSE is PUT, since a PATCH removes nothing', () => {
  const { name: _name, ...nameless } = exampleLocation;
  expect(steps('locations', exampleLocation, nameless)).toEqual([['PUT', '', nameless]]);
  expect(steps('locations', exampleLocation, { ...exampleLocation, evses: [evse] })).toMatchObject([['PUT', '', {}]]);
});

test('SES-03 only new charging periods are in the PATCH of a Session', () => {
  const [first, last] = exampleSession.charging_periods!;
  const was: Session = { ...exampleSession, charging_periods: [first!], kwh: 5 };
  expect(steps('sessions', was, { ...exampleSession, last_updated: at })).toEqual([
    ['PATCH', '', { kwh: 12.4, charging_periods: [last], last_updated: at }],
  ]);
});

test('a Session whose earlier periods changed, or that has two of one start, is PUT', () => {
  const [first, last] = exampleSession.charging_periods!;
  const rewritten = { ...exampleSession, charging_periods: [{ ...first!, tariff_id: 'X' }, last!] };
  expect(steps('sessions', exampleSession, rewritten)).toMatchObject([['PUT', '', {}]]);
  const twice = { ...exampleSession, charging_periods: [first!, last!, { ...last!, tariff_id: 'X' }] };
  expect(steps('sessions', exampleSession, twice)).toMatchObject([['PUT', '', {}]]);
});
