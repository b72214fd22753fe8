import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant } from '#time';
import { grantedAt } from './offers.ts';
import { isLike, patternsFor, seenSinceFor, shownSince } from './places.ts';
import type { GrantVersion } from './versions.ts';

const bct = { country_code: 'CA', party_id: 'BCT' };
const [plunk, other, hub] = ['CPK', 'XYZ', 'HUB'].map((party_id) => ({ country_code: 'CA', party_id }));

function version(n: number, validFrom: string, at: string, locations?: string[], partner = plunk!): GrantVersion {
  return {
    own: 'CA*BCT',
    partner,
    version: n,
    validFrom,
    timeZone: 'UTC',
    at,
    grants: { tariffs: [], ...(locations ? { locations } : {}) },
  };
}
const places = (versions: readonly GrantVersion[], at: string) => grantedAt(versions, instant(at)).places;
const since = (versions: readonly GrantVersion[], at: string, id = 'HOMES', groups = [[plunk!]]) => {
  const ms = shownSince({ ...bct, id }, groups, places(versions, at));
  return ms === undefined ? 'hidden' : ms === 0 ? 'always' : new Date(ms).toISOString().slice(0, 10);
};

test('a partner sees what its agreement names, from the month on; who has no such list sees all', () => {
  const versions = [version(1, '2022-02', '2022-01-10T00:00:00Z', ['stalls-*'])];
  expect(since(versions, '2022-01-31T23:59:59Z')).toBe('always');
  expect(since(versions, '2022-02-01T00:00:00Z')).toBe('hidden');
  expect(since(versions, '2022-02-01T00:00:00Z', 'STALLS-1')).toBe('always');
  expect(since(versions, '2022-02-01T00:00:00Z', 'HOMES', [[other!]])).toBe('always');
  expect(grantedAt(versions, instant('2022-01-15T00:00:00Z')).until).toBe(instant('2022-02-01T00:00:00Z'));
});

test('it is known since when it sees what it did not', () => {
  const versions = [
    version(1, '2022-02', '2022-01-10T00:00:00Z', []), version(2, '2022-03', '2022-01-10T00:00:00Z', ['HOMES']),
    version(3, '2022-04', '2022-01-10T00:00:00Z', ['HOMES', 'STALLS']), version(4, '2022-05', '2022-01-10T00:00:00Z'),
  ];
  const seen = (id: string) => ['02', '03', '04', '05'].map((month) => since(versions, `2022-${month}-15T00:00:00Z`, id));
  expect(seen('HOMES')).toEqual(['hidden', '2022-03-01', '2022-03-01', '2022-03-01']);
  expect(seen('STALLS')).toEqual(['hidden', 'hidden', '2022-04-01', '2022-04-01']);
  expect(seen('ANY')).toEqual(['hidden', 'hidden', 'hidden', '2022-05-01']);
});

test('of a platform one party has to be allowed to see, of those whom a hub tells each', () => {
  const versions = [version(1, '2022-02', '2022-01-10T00:00:00Z', ['STALLS'])];
  const at = '2022-02-15T00:00:00Z';
  expect(since(versions, at, 'HOMES', [[plunk!, other!]])).toBe('always');
  expect(since(versions, at, 'HOMES', [[hub!], [plunk!], [other!]])).toBe('hidden');
  expect(since(versions, at, 'STALLS', [[hub!], [plunk!], [other!]])).toBe('always');
  const own = places(versions, at);
  expect(patternsFor([[plunk!]], own)).toEqual([{ owner: bct, ids: ['STALLS'] }]);
  expect(patternsFor([[plunk!, other!]], own)).toEqual([]);
  expect(patternsFor([[hub!], [plunk!]], own)).toEqual([{ owner: bct, ids: ['STALLS'] }]);
});

test('an agreement with one of our parties says nothing of what another of ours has', () => {
  const versions = [version(1, '2022-02', '2022-01-10T00:00:00Z', [])];
  const own = places(versions, '2022-02-15T00:00:00Z');
  expect(shownSince({ ...bct, id: 'HOMES' }, [[plunk!]], own)).toBeUndefined();
  expect(shownSince({ country_code: 'CA', party_id: 'RVB', id: 'HOMES' }, [[plunk!]], own)).toBe(0);
});

test('what a list is asked with says of each Location since when it is seen', () => {
  const any = fc.record({
    day: fc.integer({ min: 1, max: 28 }),
    ids: fc.option(fc.subarray(['A', 'B', 'C*']), { nil: undefined }),
    partner: fc.constantFrom(plunk!, other!),
  });
  const groups = fc.array(fc.subarray([plunk!, other!], { minLength: 1 }), { minLength: 1, maxLength: 2 });
  fc.assert(fc.property(fc.array(any, { maxLength: 6 }), groups, fc.constantFrom('A', 'b', 'C1', 'D'), (given, asking, id) => {
    const versions = given.map(({ day, ids, partner }, n) =>
      version(n + 1, '2022-02', `2022-02-${String(day).padStart(2, '0')}T00:00:00Z`, ids, partner));
    const now = places(versions, '2022-03-01T00:00:00Z');
    const seen = seenSinceFor(asking, now).map(({ parties }) => Math.min(...parties.map((spans) => Math.max(
      ...spans.map(({ ids, until = Infinity }) => (ids.some((one) => isLike(one, id)) ? 0 : until))))));
    expect(Math.max(0, ...seen)).toBe(shownSince({ ...bct, id }, asking, now) ?? Infinity);
  }));
});

test('the order in which versions are heard changes nothing', () => {
  const any = fc.record({
    month: fc.integer({ min: 1, max: 4 }),
    day: fc.integer({ min: 1, max: 28 }),
    ids: fc.option(fc.subarray(['A', 'B']), { nil: undefined }),
  });
  fc.assert(fc.property(fc.array(any, { maxLength: 6 }), (given) => {
    const versions = given.map(({ month, day, ids }, n) =>
      version(n + 1, `2022-0${month}`, `2022-01-${String(day).padStart(2, '0')}T00:00:00Z`, ids));
    const all = (list: readonly GrantVersion[]) => ['01', '02', '03', '04'].flatMap((month) =>
      ['A', 'B'].map((id) => since(list, `2022-${month}-29T00:00:00Z`.replace('02-29', '02-28'), id)));
    expect(all(versions.toReversed())).toEqual(all(versions));
  }));
});

test.each([
  ['SITE-1', 'site-1', true], ['SITE-1', 'SITE-12', false], ['SITE-*', 'SITE-', true], ['*-1', 'SITE-1', true], ['*', 'any', true],
  ['S*T*1', 'SITE-1', true], ['S*1*1', 'S1', false], ['A*A', 'A', false], ['A.C', 'ABC', false], ['**B', 'AB', true], ['*B*', 'AC', false],
])('the pattern %s and the id %s: %s', (pattern, id, is) => {
  expect(isLike(pattern, id)).toBe(is);
});
