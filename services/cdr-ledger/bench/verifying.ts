import { hash } from 'node:crypto';
import type { EventStore } from '#event-store';
import type { Database } from '#postgres';
import { OwnParties } from '#settings';
import type { Following } from '../src/follow.ts';
import { entriesUpTo } from '../src/ledger-pages.ts';
import { Proofs } from '../src/proofs.ts';
import type { BenchRow } from './ledger.ts';

/** Entries whose texts are hashed alone: as many as memory holds without a thought. */
const TEXTS = 20_000;

/**
 * The ledger of the running database verified as `verifyLedger` does, read included, against node:crypto's quickest SHA-256
 * over the same texts when they are in memory already.
 */
export async function benchVerifying({ db, store, chain, list }: {
  readonly db: Database;
  readonly store: EventStore;
  readonly chain: Following;
  readonly list: Following;
}): Promise<BenchRow[]> {
  const parties = new OwnParties([{ country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' }]);
  const proofs = new Proofs({ db, store, parties, keys: [], chain, list });
  const startedMs = performance.now();
  const verdicts = await proofs.verify();
  const verifyMs = performance.now() - startedMs;
  const problem = verdicts.find((verdict) => verdict.problem !== undefined)?.problem;
  if (problem !== undefined) throw new Error(`the bench's own ledger does not verify: ${problem}`);
  const entries = verdicts.reduce((sum, verdict) => sum + verdict.chain.entries, 0);
  const texts: Buffer[] = [];
  let read = 0;
  for await (const page of entriesUpTo(db, store)) {
    for (const { data, private: part } of page) texts.push(Buffer.from(data), ...(part ? [Buffer.from(part.text)] : []));
    if ((read += page.length) >= TEXTS) break;
  }
  const hashedMs = performance.now();
  for (const text of texts) hash('sha256', text, 'hex');
  const aloneMs = performance.now() - hashedMs;
  const megabytes = texts.reduce((sum, text) => sum + text.length, 0) / 1e6;
  const alone = megabytes / aloneMs * 1000;
  const live = (megabytes / read) * (entries / verifyMs) * 1000;
  const of = 'node:crypto alone by hash';
  return [
    { what: `the live ledger verified, ${entries.toLocaleString('en-CA')} entries`, figure: live, unit: 'MB/s' },
    { what: '  that is', figure: (entries * 1000) / verifyMs, unit: 'entries/s' },
    { what: `the live ledger verified: ${of}, from memory`, figure: alone, unit: 'MB/s' },
    { what: `  the live ledger verified / ${of}`, figure: live / alone, unit: 'x', of },
  ];
}
