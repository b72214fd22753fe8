import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '#time';
import { areGrantedAlike, grantedAt, isOffered, offeredOf, tokenPrioritiesAt } from './offers.ts';
import type { GrantVersion } from './versions.ts';

const plunk = { country_code: 'CA', party_id: 'CPK' };
const other = { country_code: 'CA', party_id: 'XYZ' };

function version(more: Partial<GrantVersion> & { tariffs?: string[] } = {}): GrantVersion {
  const { tariffs = ['PLUNK'], ...rest } = more;
  return {
    own: 'CA*BCT', partner: plunk, version: 1, validFrom: '2022-02', timeZone: 'America/Vancouver', at: '2022-01-10T00:00:00Z',
    grants: { tariffs }, ...rest,
  };
}

const mayHave = (versions: readonly GrantVersion[], at: string, tariff = 'PLUNK') => {
  const { offers } = grantedAt(versions, instant(at));
  return [plunk, other].map((party) => isOffered(tariff, [party], offers));
};

test('a tariff is private from the first instant of the month of its agreement, in its zone', () => {
  expect(mayHave([version()], '2022-02-01T07:59:59Z')).toEqual([true, true]);
  expect(mayHave([version()], '2022-02-01T08:00:00Z')).toEqual([true, false]);
  expect(mayHave([version()], '2022-02-01T08:00:00Z', 'plunk')).toEqual([true, false]);
  expect(mayHave([version()], '2022-02-01T08:00:00Z', 'L2')).toEqual([true, true]);
});

test('terms of a month that has begun hold from when they were set', () => {
  const late = version({ at: '2022-02-10T12:00:00Z' });
  expect(mayHave([late], '2022-02-10T11:59:59Z')).toEqual([true, true]);
  expect(mayHave([late], '2022-02-10T12:00:00Z')).toEqual([true, false]);
});

test('what is granted to nobody any more is for nobody, never for all', () => {
  const ended = version({ version: 2, validFrom: '2022-03', tariffs: [] });
  expect(mayHave([version(), ended], '2022-02-15T00:00:00Z')).toEqual([true, false]);
  expect(mayHave([version(), ended], '2022-03-15T00:00:00Z')).toEqual([false, false]);
  const replaced = version({ version: 2, at: '2022-02-10T12:00:00Z', tariffs: [] });
  expect(mayHave([version(), replaced], '2022-02-11T00:00:00Z')).toEqual([false, false]);
});

test('what was replaced before it ever held never made a tariff private', () => {
  const corrected = version({ version: 2, at: '2022-01-20T00:00:00Z', tariffs: [] });
  expect(mayHave([version(), corrected], '2022-02-15T00:00:00Z')).toEqual([true, true]);
});

test('two agreements may grant the same tariff', () => {
  expect(mayHave([version(), version({ partner: other })], '2022-02-15T00:00:00Z')).toEqual([true, true]);
});

test('it is known since when what is granted is so, and until when', () => {
  const next = version({ version: 2, validFrom: '2022-04', tariffs: [] });
  expect(grantedAt([version(), next], instant('2022-02-15T00:00:00Z'))).toMatchObject({
    since: instant('2022-02-01T08:00:00Z'), until: instant('2022-04-01T07:00:00Z'),
  });
  expect(grantedAt([version({ tariffs: [] })], instant('2022-01-15T00:00:00Z'))).toEqual({
    offers: [],
    places: [],
    since: 0,
    until: undefined,
  });
});

test('a Connector names what a partner is granted, else what is for all', () => {
  const { offers } = grantedAt([version()], instant('2022-02-15T00:00:00Z'));
  expect(offeredOf(['L2', 'PLUNK'], [plunk], offers)).toEqual(['PLUNK']);
  expect(offeredOf(['L2', 'PLUNK'], [other], offers)).toEqual(['L2']);
  expect(offeredOf(['L2', 'PLUNK'], [other, plunk], offers)).toEqual(['L2', 'PLUNK']);
  expect(offeredOf(['L2'], [plunk], offers)).toEqual(['L2']);
});

test('the order in which versions are heard changes nothing', () => {
  const any = fc.record({
    partner: fc.constantFrom(plunk, other), month: fc.integer({ min: 1, max: 4 }), day: fc.integer({ min: 1, max: 28 }),
    tariffs: fc.subarray(['A', 'B', 'C']),
  });
  const setAt = (month: number, day: number) => `2022-0${month}-${String(day).padStart(2, '0')}T00:00:00Z`;
  fc.assert(fc.property(fc.array(any, { maxLength: 6 }), fc.integer({ min: 1, max: 5 }), (given, month) => {
    const versions = given.map(({ partner, month: from, day, tariffs }, n) =>
      version({ partner, version: n + 1, validFrom: `2022-0${from}`, at: setAt(1, day), tariffs }));
    const seen = (all: readonly GrantVersion[]) => ['A', 'B', 'C'].map((id) => mayHave(all, setAt(month, 15), id));
    expect(seen(versions.toReversed())).toEqual(seen(versions));
  }));
});

test('the priority of a partner is that of the version that holds, the highest that one of our parties gives', () => {
  const given = (priority: number, more: Partial<GrantVersion> = {}) => version({ grants: { token_priority: priority }, ...more });
  const at = (versions: readonly GrantVersion[], when: string) => Object.fromEntries(tokenPrioritiesAt(versions, instant(when)));
  expect(at([given(2)], '2022-02-01T07:59:59Z')).toEqual({});
  expect(at([given(2)], '2022-02-01T08:00:00Z')).toEqual({ 'CA*CPK': 2 });
  expect(at([given(2), given(0, { version: 2, validFrom: '2022-03' })], '2022-03-15T00:00:00Z')).toEqual({});
  expect(at([given(2), given(3, { own: 'CA*EVG' }), given(1, { partner: other })], '2022-02-15T00:00:00Z')).toEqual({
    'CA*CPK': 3,
    'CA*XYZ': 1,
  });
  expect(at([version()], '2022-02-15T00:00:00Z')).toEqual({});
});

describe('whether a party is granted the same', () => {
  const at = (versions: readonly GrantVersion[]) => grantedAt(versions, instant('2022-02-15T00:00:00Z'));
  const alike = (party: typeof plunk, before: readonly GrantVersion[], after: readonly GrantVersion[]) =>
    areGrantedAlike({ parties: [party], groups: [[party]] }, at(before), at(after));
  test.each([
    ['a tariff of theirs becomes private: everybody', [], [version()], [false, false]],
    ['one more is granted what was private: that one', [version()], [version(), version({ partner: other })], [true, false]],
    ['a place is granted: that one', [], [version({ grants: { locations: ['A'] } })], [false, true]],
    ['another place is granted: that one', [version({ grants: { locations: ['A'] } })],
      [version({ grants: { locations: ['A'] } }), version({ version: 2, at: '2022-02-10T00:00:00Z', grants: { locations: ['B'] } })], [false, true]],
    ['the same in another spelling: nobody', [version()], [version(), version({ version: 2, at: '2022-02-10T00:00:00Z', tariffs: ['plunk'] })], [true, true]],
  ] as const)('%s', (_what, before, after, expected) => {
    expect([plunk, other].map((party) => alike(party, before, after))).toEqual(expected);
  });
});
