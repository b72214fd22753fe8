import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Party } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { carbonPlunk, location, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

const other = { country_code: 'CA', party_id: 'OTH' } as const;
const begin = instant('2022-02-01T18:21:00Z');

let there: TestLedger;
/** Id, last_updated and token owner of what was issued, in the log's order. */
const issued: { id: string; at: number; owner: Party }[] = [];

beforeAll(async () => {
  there = await testLedger();
  const [moves] = fc.sample(fc.array(fc.integer({ min: -4_000, max: 9_000 }), { minLength: 90, maxLength: 90 }), {
    numRuns: 1,
    seed: 5,
  }) as [number[]];
  for (const [n, ms] of moves.entries()) {
    // As of replicas whose clocks differ, and whose appends overtake each other.
    there.clock.advance(ms);
    const owner = n % 5 === 0 ? other : carbonPlunk;
    const id = `P-${n}`;
    const cdr_token = { ...session.cdr_token, ...owner };
    await there.ledger.issue({
      session: { ...session, id, cdr_token }, location, tariff, tariffVersion: 1, token: { ...token, ...owner }, energyWh: '6000',
    });
    issued.push({ id: `${id}-1`, at: there.clock.now(), owner });
  }
});
afterAll(() => there?.close());

const ms = fc.integer({ min: -10_000, max: 400_000 });
const third = { country_code: 'CA', party_id: 'NIL' } as const;
const owners = fc.constantFrom<readonly Party[]>([carbonPlunk], [other], [carbonPlunk, other], [third, other, carbonPlunk], [third]);

test('any page of any window holds what the whole list has there, though clocks went back', async () => {
  await fc.assert(
    fc.asyncProperty(
      owners, fc.option(ms), fc.option(ms), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 30 }),
      async (asked, from, to, offset, limit) => {
        const inWindow = issued.filter(
          ({ at, owner }) =>
            asked.includes(owner) && (from === null || at >= begin + from) && (to === null || at < begin + to),
        );
        const { cdrs, total } = await there.ledger.page(asked, {
          from: from === null ? undefined : rfc3339(begin + from),
          to: to === null ? undefined : rfc3339(begin + to),
          offset,
          limit,
        });
        expect(total).toBe(inWindow.length);
        expect(cdrs.map(({ cdr }) => cdr.id)).toEqual(inWindow.slice(offset, offset + limit).map(({ id }) => id));
      },
    ),
    { numRuns: 300 },
  );
});

test('a list made anew has the same pages, and goes on with the next number', async () => {
  const pages = async () => (await there.ledger.page([carbonPlunk], { offset: 0, limit: 1_000 })).cdrs.map(({ cdr }) => cdr.id);
  const before = await pages();
  await there.list.rebuild();
  expect(await pages()).toEqual(before);
  await there.ledger.issue({ session: { ...session, id: 'P-LAST' }, location, tariff, tariffVersion: 1, token, energyWh: '6000' });
  expect(await pages()).toEqual([...before, 'P-LAST-1']);
});

test('pages of several owners that are asked for while more come in hold each CDR once, in the order of creation', async () => {
  const seen: string[] = [];
  for (let offset = 0; ;) {
    const { cdrs, total } = await there.ledger.page([carbonPlunk, other], { offset, limit: 7 });
    seen.push(...cdrs.map(({ cdr }) => cdr.id));
    offset += cdrs.length;
    if (offset <= 35) {
      const cdr_token = { ...session.cdr_token, ...other };
      const more = { session: { ...session, id: `P-NEW-${offset}`, cdr_token }, token: { ...token, ...other } };
      await there.ledger.issue({ location, tariff, tariffVersion: 1, energyWh: '6000', ...more });
    }
    if (offset === total) break;
    expect(cdrs).toHaveLength(7);
  }
  const { rows } = await there.db.query<{ id: string }>(`SELECT cdr_id AS id FROM cdrs ORDER BY "position"`);
  expect(seen).toEqual(rows.map(({ id }) => id));
});

test('owners that are asked for together are listed together', async () => {
  const both = await there.ledger.page([carbonPlunk, other], { offset: 3, limit: 4 });
  expect(both.total).toBe(96);
  expect(both.cdrs.map(({ cdr }) => cdr.id)).toEqual(['P-3-1', 'P-4-1', 'P-5-1', 'P-6-1']);
});

test('CDRs for whomever\'s tokens are those of all who ever charged, of one issuer, too', async () => {
  const window = { offset: 2, limit: 9 };
  const [all, both] = [await there.ledger.page('anybody', window), await there.ledger.page([carbonPlunk, other], window)];
  expect(all).toEqual(both);
  const { country_code, party_id } = all.cdrs[0]!.cdr;
  expect(await there.ledger.page('anybody', window, { country_code, party_id })).toEqual(both);
});
