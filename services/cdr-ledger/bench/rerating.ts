import pg from 'pg';
import type { EventStore } from '#event-store';
import type { Database } from '#postgres';
import { priceCdr } from '../src/amounts.ts';
import { readEvent } from '../src/ledger-event.ts';
import type { BenchRow } from './ledger.ts';

const PAGE = 1_000;

/** All CDRs of the log priced anew, against reading and parsing the same rows; in turns. */
export async function benchRerating(db: Database, store: EventStore, url: string, cdrs: number): Promise<BenchRow[]> {
  await fill(db, url, cdrs);
  const first = 2_000_000_000n;
  await throughLog(store, first, () => {});
  const read = { ms: 0, count: 0 };
  const rated = { ms: 0, count: 0 };
  for (let turn = 0; turn < (cdrs > 200_000 ? 2 : 3); turn += 1) {
    for (const [spent, rerates] of [[read, false], [rated, true]] as const) {
      const startedAt = performance.now();
      spent.count += await throughLog(store, first, (event) => {
        if (rerates && (event.type === 'CdrIssued' || event.type === 'CdrReceived')) {
          const { amounts } = priceCdr(event.cdr, event.pricing?.timeZone);
          if (amounts.total_cost.excl_vat !== event.cdr.total_cost.excl_vat) throw new Error(`CDR ${event.cdr.id} has another price`);
        }
      });
      spent.ms += performance.now() - startedAt;
    }
  }
  const rate = ({ ms, count }: typeof read) => (count * 1000) / ms;
  const of = 'reading and parsing';
  return [
    { what: `ledger of ${cdrs.toLocaleString('en-CA')}: read and parsed`, figure: rate(read), unit: 'CDRs/s' },
    { what: `ledger of ${cdrs.toLocaleString('en-CA')}: read, parsed and priced anew`, figure: rate(rated), unit: 'CDRs/s' },
    { what: '  pricing anew / reading and parsing', figure: rate(rated) / rate(read), unit: 'x', of, wanted: '>= 0.5' },
  ];
}

/** As any reader of the whole log: a page is fetched while the one before it is worked on. */
async function throughLog(store: EventStore, after: bigint, each: (event: ReturnType<typeof readEvent>) => void): Promise<number> {
  let count = 0;
  let coming = store.readAll(after, PAGE);
  for (;;) {
    const page = await coming;
    if (page.length === PAGE) coming = store.readAll(page.at(-1)!.position, PAGE);
    for (const stored of page) each(readEvent(stored));
    count += page.length;
    if (page.length < PAGE) return count;
  }
}

async function fill(db: Database, url: string, cdrs: number): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${db.schema}` });
  await client.connect();
  await client.query(
    `INSERT INTO events ("position", stream, version, id, type, data, recorded_at)
     SELECT 2000000000 + n, 'bench-' || n, 1, gen_random_uuid(), e.type, e.data, e.recorded_at
     FROM (SELECT * FROM events WHERE type = 'CdrIssued' ORDER BY "position" LIMIT 1) e, generate_series(1, $1::int) n`,
    [cdrs],
  );
  await client.query('ANALYZE events');
  await client.end();
}
