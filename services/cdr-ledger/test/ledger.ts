import pg from 'pg';
import { signerFromSeed } from '#chain';
import { type EventStore, postgresEventStore } from '#event-store';
import { OwnParties } from '#settings';
import { log, type Log } from '#telemetry';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { type FixedClock, fixedClock, type Zone, zone } from '#time';
import { CdrLedger } from '../src/cdr-ledger.ts';
import { chainRows } from '../src/chain-rows.ts';
import { follow, type Following } from '../src/follow.ts';
import { migrations } from '../src/migrations.ts';
import { cdrList } from '../src/projections/cdr-list.ts';
import { disputeList } from '../src/projections/dispute-list.ts';
import { RowsAhead } from '../src/projections/rows-ahead.ts';
import { privateParts } from '../src/private-parts.ts';
import { prove, type Proving } from '../src/proving.ts';
import { Recorder } from '../src/record.ts';
import { Settling } from '../src/settling.ts';

/**
 * A ledger on a database of its own, without the bus; and a superuser who can do what nobody
 * should.
 */
export interface TestLedger extends Proving {
  /** Of the heads. */
  readonly keys: readonly string[];
  readonly databaseUrl: string;
  readonly zone: Zone;
  readonly log: Log;
  readonly ledger: CdrLedger;
  readonly settling: Settling;
  readonly db: Database;
  readonly store: EventStore;
  readonly list: Following;
  readonly parties: OwnParties;
  readonly clock: FixedClock;
  readonly superuser: pg.Pool;
  close(): Promise<void>;
}

export interface TestLedgerOptions {
  /** A database that is there already; its owner drops it. */
  readonly on?: string;
  readonly clock?: string;
  readonly partyId?: string;
}

export async function testLedger({
  on,
  clock: at = '2022-02-01T18:21:00Z',
  partyId = 'BCT',
}: TestLedgerOptions = {}): Promise<TestLedger> {
  const database = on === undefined ? await freshDatabase() : { url: on, drop: async () => {} };
  const db = await openDatabase({ url: database.url, schema: 'cdr_ledger', migrations });
  const store = postgresEventStore(db);
  const quiet = log('cdr-ledger', { level: 'silent' });
  const ahead = new RowsAhead();
  const list = follow(db, store, cdrList(ahead), quiet);
  const chain = follow(db, store, chainRows(), quiet);
  const disputes = follow(db, store, disputeList, quiet);
  const clock = fixedClock(at);
  const name = partyId === 'BCT' ? 'Energy OASIS' : partyId;
  const parties = new OwnParties([
    { country_code: 'CA', party_id: partyId, name, roles: ['CPO'], currency: 'CAD' },
  ]);
  const zoneOf = async () => ({ name: 'America/Vancouver' });
  const ledger = new CdrLedger({
    db,
    store,
    clock,
    parties,
    zoneOf,
    publishedOf: async () => [],
    meterKeyOf: () => undefined,
    list,
    ahead,
  });
  const settling = new Settling({
    db,
    recorder: new Recorder(store, privateParts(db)),
    clock,
    parties,
    timeZone: 'America/Vancouver',
    list,
    disputes,
  });
  const signer = signerFromSeed(Buffer.alloc(32, 7));
  const proving = prove({
    db,
    store,
    clock,
    parties,
    timeZone: 'America/Vancouver',
    signing: { signer, keys: [signer.publicKey], cursorKey: Buffer.alloc(32) },
    log: quiet,
    chain,
    list,
    others: [disputes],
    kinds: ['cdrs'],
  });
  const superuser = new pg.Pool({
    connectionString: database.url,
    options: '-c search_path=cdr_ledger -c timezone=UTC',
    max: 2,
  });
  // Dropping the database may end a connection before the pool does.
  superuser.on('error', () => {});
  superuser.on('connect', (client) => void client.on('error', () => {}));
  return {
    ledger,
    ...proving,
    keys: [signer.publicKey],
    databaseUrl: database.url,
    zone: zone('America/Vancouver'),
    log: quiet,
    settling,
    db,
    store,
    list,
    parties,
    clock,
    superuser,
    async close() {
      await proving.signing.stop();
      await Promise.all([list.stop(), chain.stop(), disputes.stop()]);
      await store.close();
      await Promise.all([db.close(), superuser.end()]);
      await database.drop();
    },
  };
}
