import { expect, test } from 'vitest';
import type { SmartChargingGrant } from '#settlement';
import { instant } from '#time';
import { isSteeringAlike, type Steered, steeringAt, steeringFor, steeringGrantOf } from './steering.ts';
import type { GrantVersion } from './versions.ts';

const party = (party_id: string) => ({ country_code: 'CA', party_id });
const [oasis, plunk, montreal, smart, other] = ['BCT', 'CPK', 'MTL', 'SMC', 'XYZ'].map(party) as [Party, Party, Party, Party, Party];
type Party = ReturnType<typeof party>;

function version(smart_charging: readonly Partial<SmartChargingGrant>[], more: Partial<GrantVersion> = {}): GrantVersion {
  return {
    own: 'CA*BCT', partner: smart, version: 1, validFrom: '2022-02', timeZone: 'America/Vancouver', at: '2022-01-10T00:00:00Z',
    grants: { smart_charging: smart_charging.map((one) => ({ token_party: plunk, consent: 'theirs', ...one })) }, ...more,
  };
}

/** Of a contract of Carbon Plunk, at VISITORS-1 of Energy OASIS. */
function session({ at = oasis, of = plunk, contract = 'CA-CPK-C1', place = 'VISITORS-1', over = '' } = {}): Steered {
  return { ...at, location_id: place, status: over ? 'COMPLETED' : 'ACTIVE', last_updated: over || '2022-01-01T00:00:00Z', cdr_token: { ...of, uid: 'U', type: 'RFID', contract_id: contract } };
}

const feb = '2022-02-15T00:00:00Z';
const sees = (versions: readonly GrantVersion[], one: Steered, at = feb, who = smart) =>
  steeringGrantOf(one, steeringFor([who], steeringAt(versions, instant(at)))) !== undefined;

test('CHP-03: nobody may limit a charge without a grant, and a grant is for the one who has it', () => {
  expect(sees([], session())).toBe(false);
  expect(sees([version([{}])], session())).toBe(true);
  expect(sees([version([{}])], session(), feb, other)).toBe(false);
});

test.each([
  ['tokens of another party', {}, { of: montreal }, false],
  ['a contract that is named', { contract_ids: ['ca-cpk-c1'] }, {}, true],
  ['a contract that is not', { contract_ids: ['CA-CPK-C2'] }, {}, false],
  ['a Location that is like one', { locations: ['VISITORS-*'] }, {}, true],
  ['a Location that is not', { locations: ['CREW-*'] }, {}, false],
  ['a station that is not ours, with a token that is not', {}, { at: montreal }, false],
  ['a driver of ours elsewhere', { token_party: oasis }, { at: montreal, of: oasis }, true],
  ['a driver of ours at our own station', { token_party: oasis }, { of: oasis }, true],
] as const)('CHP-03: %s', (_what, grant, where, expected) => {
  expect(sees([version([grant as Partial<SmartChargingGrant>])], session(where))).toBe(expected);
});

test('a consent holds in its own time, and no longer than the version that names it', () => {
  const dated = version([{ since: '2022-02-10T00:00:00Z', until: '2022-02-20T00:00:00Z' }]);
  const days = ['09', '10', '19', '20'].map((day) => sees([dated], session(), `2022-02-${day}T00:00:00Z`));
  expect(days).toEqual([false, true, true, false]);
  const revoked = version([], { version: 2, at: '2022-02-12T12:00:00Z' });
  expect(['11:59:59', '12:00:00'].map((time) => sees([dated, revoked], session(), `2022-02-12T${time}Z`))).toEqual([true, false]);
});

test('what was over before the consent is not shown by it', () => {
  const shown = (over: string, more = {}) => sees([version([more])], session({ over }));
  expect([shown('2022-02-01T07:59:59Z'), shown('2022-02-01T08:00:00Z')]).toEqual([false, true]);
  expect([shown('2022-01-31T08:00:00Z', { since: '2022-01-31T09:00:00Z' }), shown('2022-01-31T10:00:00Z', { since: '2022-01-31T09:00:00Z' })])
    .toEqual([false, true]);
});

test('when it will be otherwise by itself is known', () => {
  const until = (versions: readonly GrantVersion[], at: string) => steeringAt(versions, instant(at)).until;
  const dated = version([{ since: '2022-02-10T00:00:00Z', until: '2022-02-20T00:00:00Z' }]);
  expect(until([dated], '2022-01-15T00:00:00Z')).toBe(instant('2022-02-01T08:00:00Z'));
  expect(until([dated], '2022-02-05T00:00:00Z')).toBe(instant('2022-02-10T00:00:00Z'));
  expect(until([dated], '2022-02-15T00:00:00Z')).toBe(instant('2022-02-20T00:00:00Z'));
  expect(until([dated], '2022-02-25T00:00:00Z')).toBeUndefined();
  expect(until([version([{}]), version([], { version: 2, validFrom: '2022-03' })], feb)).toBe(instant('2022-03-01T08:00:00Z'));
  expect(until([version([]), version([], { version: 2, validFrom: '2022-03' })], feb)).toBeUndefined();
});

test('whether somebody may limit the same by both, in whatever order and spelling', () => {
  const at = (...versions: GrantVersion[]) => steeringAt(versions, instant(feb));
  const one = at(version([{ contract_ids: ['A', 'b'] }, { locations: ['X'] }]));
  const same = at(version([{ locations: ['x'] }, { contract_ids: ['B', 'a'], consent: 'written elsewhere' }]));
  expect(isSteeringAlike([smart], one, same)).toBe(true);
  expect(isSteeringAlike([smart], one, at())).toBe(false);
  expect(isSteeringAlike([other], one, at())).toBe(true);
});
