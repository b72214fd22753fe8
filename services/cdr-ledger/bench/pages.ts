import pg from 'pg';
import type { Party } from '#ocpi';
import type { Database } from '#postgres';
import { pageOfCdrs } from '../src/projections/cdr-pages.ts';
import type { BenchRow } from './ledger.ts';

const LIMIT = 100;
const TIMES = 40;
const owner = { country_code: 'CA', party_id: 'PGS' };
/** A tenth as many, of whom a platform with two eMSPs asks together with the others. */
const second = { country_code: 'CA', party_id: 'PGT' };

/** The first, the middle and the last page of a long list, with and without a window, in turns. */
export async function benchPages(db: Database, url: string, cdrs: number): Promise<BenchRow[]> {
  await fill(url, cdrs);
  if (cdrs < 1_000) throw new Error('a list of fewer than 1,000 CDRs has too few pages');
  const from = '2020-01-01T00:10:00Z';
  const pages = {
    'page 1': { offset: 0 },
    'the middle page': { offset: Math.floor(cdrs / 2) },
    'the last page': { offset: cdrs - LIMIT },
    'page 1 since a day': { offset: 0, from },
    'the last page since a day': { offset: cdrs - LIMIT - 600, from },
    'page 1 of two owners': { offset: 0, owners: [owner, second] },
    'the last page of two owners': { offset: cdrs + Math.floor(cdrs / 10) - LIMIT, owners: [owner, second] },
  };
  const spent = new Map(Object.keys(pages).map((name) => [name, [] as number[]]));
  for (let n = 0; n < TIMES; n += 1) {
    for (const [name, { owners = [owner], ...page }] of Object.entries<Page>(pages)) {
      const startedAt = performance.now();
      const { cdrs: found } = await pageOfCdrs(db, owners, { ...page, limit: LIMIT });
      spent.get(name)!.push(performance.now() - startedAt);
      if (found.length !== LIMIT) throw new Error(`${name} has ${found.length} CDRs`);
    }
  }
  const middle = (name: string) => spent.get(name)!.sort((a, b) => a - b)[TIMES / 2]!;
  const of = (name: string) => (name.endsWith('two owners') ? 'page 1 of two owners' : 'page 1');
  return [...spent.keys()].flatMap((name) => [
    { what: `list of ${cdrs.toLocaleString('en-CA')}: ${name}`, figure: middle(name), unit: 'ms' },
    ...(name === of(name) ? [] : [{
      what: `  ${name} / ${of(name)}`, figure: middle(name) / middle(of(name)), unit: 'x', of: of(name), wanted: '<= 1.5',
    }]),
  ]);
}

interface Page {
  readonly offset: number;
  readonly from?: string;
  readonly owners?: readonly Party[];
}

/** Rows as the projection writes them and entries, one a second, made of one that is there. */
async function fill(url: string, cdrs: number): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=bench_ledger' });
  await client.connect();
  await client.query(
    `WITH made AS (
       INSERT INTO cdrs ("position", own, party, cdr_key, cdr_id, session_id, token_party, last_updated, currency, energy_kwh,
         excl_tax, incl_tax, location_id, location_name, taxes, findings, private_id, number, reached, lag_ms)
       SELECT 1000000000 + n * o.step + o.k, true, c.party, o.owner || n, o.owner || n, o.owner || n, o.owner, at, c.currency,
         c.energy_kwh, c.excl_tax, c.incl_tax, c.location_id, c.location_name, c.taxes, c.findings, c.private_id, n, at, 0
       FROM (SELECT * FROM cdrs WHERE own ORDER BY "position" LIMIT 1) c,
         (VALUES ('CA*PGS', 2, 0, 1), ('CA*PGT', 20, 1, 10)) o (owner, step, k, every),
         LATERAL generate_series(1, $1::int / o.every) n,
         LATERAL (SELECT timestamptz '2020-01-01T00:00:00Z' + n * o.every * interval '1 second' AS at) t
       RETURNING "position")
     INSERT INTO events ("position", stream, version, id, type, data, recorded_at)
     SELECT made."position", 'page-' || made."position", 1, gen_random_uuid(), e.type, e.data, e.recorded_at
     FROM made, (SELECT * FROM events WHERE type = 'CdrIssued' ORDER BY "position" LIMIT 1) e`,
    [cdrs],
  );
  await client.query('ANALYZE cdrs, events');
  await client.end();
}
