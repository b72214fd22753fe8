import { randomUUID } from 'node:crypto';
import { entryText, signerFromSeed, verifyReceipt } from '#chain';
import { postgresEventStore } from '#event-store';
import { exampleCdr } from '#ocpi';
import { openDatabase } from '#postgres';
import { OwnParties } from '#settings';
import { log } from '#telemetry';
import { fixedClock, zone } from '#time';
import { chainRows } from '../src/chain-rows.ts';
import { follow } from '../src/follow.ts';
import { signClosedDays } from '../src/heads.ts';
import { migrations } from '../src/migrations.ts';
import { Proofs } from '../src/proofs.ts';
import type { BenchRow } from './ledger.ts';

const BATCH = 1_000;
const PROOFS = 200;
const ledger = 'CA*BCT';

/** A day of so many entries, verified again and signed when it has ended, and receipts proven to that head. */
export async function benchSealing(url: string, entries: number): Promise<BenchRow[]> {
  const db = await openDatabase({ url, schema: 'bench_sealing', migrations });
  const store = postgresEventStore(db);
  const quiet = log('bench', { level: 'error' });
  const chain = follow(db, store, chainRows(), quiet);
  for (let n = 0; n < entries; n += BATCH) {
    await store.append(Array.from({ length: Math.min(BATCH, entries - n) }, (_, k) => {
      const [id, stream] = [randomUUID(), `cdr-s-${n + k}`];
      const data = entryText({ id, stream, version: 1 }, { type: 'CdrIssued', ledger, ...{ cdr: exampleCdr } });
      return { stream, expected: 0, events: [{ id, type: 'CdrIssued', data }] };
    }));
    await chain.caughtUp();
  }
  const clock = fixedClock('2022-02-02T08:00:00Z');
  const signer = signerFromSeed(Buffer.alloc(32, 1));
  const startedMs = performance.now();
  const signed = await signClosedDays({ db, clock, ledger, zone: zone('America/Vancouver'), signer, chain, log: quiet });
  const sealMs = performance.now() - startedMs;
  if (!signed) throw new Error('the day was not signed');
  const parties = new OwnParties([{ country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' }]);
  const keys = [signer.publicKey];
  const proofs = new Proofs({ db, store, parties, keys, chain, list: chain });
  const provedMs = performance.now();
  for (let n = 0; n < PROOFS; n += 1) {
    const position = BigInt(1 + Math.floor((n * entries) / PROOFS));
    const proof = verifyReceipt(await proofs.entryAt(position, { about: `entry ${position}` }), keys);
    if (!proof.ok) throw new Error(`a receipt does not verify: ${proof.problem}`);
  }
  const proofMs = (performance.now() - provedMs) / PROOFS;
  await chain.stop();
  await store.close();
  await db.close();
  const day = `a day of ${entries.toLocaleString('en-CA')} entries`;
  return [
    { what: `${day}: verified again and signed`, figure: sealMs / 1000, unit: 's' },
    { what: '  that is', figure: (entries * 1000) / sealMs, unit: 'entries/s' },
    { what: `${day}: a receipt proven and verified`, figure: proofMs, unit: 'ms' },
  ];
}
