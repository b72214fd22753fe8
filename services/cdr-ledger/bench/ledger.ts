import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventStoreMigrations, type EventStore, postgresEventStore } from '#event-store';
import { exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken } from '#ocpi';
import { type Database, openDatabase, timeUuid } from '#postgres';
import { OwnParties } from '#settings';
import { log } from '#telemetry';
import { systemClock } from '#time';
import { CdrLedger } from '../src/cdr-ledger.ts';
import { chainRows } from '../src/chain-rows.ts';
import { CONNECTIONS } from '../src/config.ts';
import { follow, type Following } from '../src/follow.ts';
import { migrations } from '../src/migrations.ts';
import { Pace } from '../src/pace.ts';
import { privateParts } from '../src/private-parts.ts';
import { cdrList } from '../src/projections/cdr-list.ts';
import { disputeCredits } from '../src/projections/dispute-credits.ts';
import { disputeList } from '../src/projections/dispute-list.ts';
import { RowsAhead } from '../src/projections/rows-ahead.ts';
import { Recorder } from '../src/record.ts';
import { benchPages } from './pages.ts';
import { benchRerating } from './rerating.ts';
import { benchSealing } from './sealing.ts';
import { benchVerifying } from './verifying.ts';

/*
 * What the ledger records, lists and prices anew in a second, as JSON on standard output:
 * node ledger.js '{ url, seconds, cdrs }', with the URL of an empty database of a superuser.
 */

export interface BenchRow {
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  /** `of`: the row whose figure this one's is compared with. */
  readonly of?: string;
  readonly wanted?: string;
}

/** Records under way at any time: what a busy day's pushes and ends of sessions come to. */
const CALLERS = 1_500;
/**
 * Not counted: prepared statements, WAL files, and compiling, which takes V8 so long for all that a CDR goes through, and
 * a quarter of the process meanwhile. (The store's own append is compiled within a second.)
 */
const WARM_UP_SECONDS = 12;
/** By turns with the store alone: what else the machine does comes and goes within seconds. */
const TURNS = 3;

const parties = new OwnParties([{ country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' }]);
const NAMED = 'the-id-of-the-CDR';
/** A partner's body comes as bytes: who writes it is not the ledger. */
const theirs = JSON.stringify({
  ...exampleCdr,
  ...{ party_id: 'CPK', id: NAMED, session_id: NAMED },
  cdr_token: { ...exampleCdr.cdr_token, party_id: 'BCT', uid: NAMED, contract_id: NAMED },
});

async function bench({ url, seconds, cdrs }: { url: string; seconds: number; cdrs: number }): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const db = await openDatabase({ url, schema: 'bench_ledger', migrations, poolMax: CONNECTIONS });
  const store = postgresEventStore(db);
  const quiet = log('bench', { level: 'error' });
  const ahead = new RowsAhead();
  const list = follow(db, store, cdrList(ahead), quiet);
  const recorder = new Recorder(store, privateParts(db));
  const followings = [
    list,
    ...[chainRows(), disputeList, disputeCredits({ db, recorder }, list)].map((one) => follow(db, store, one, quiet)),
  ];
  const zoneOf = async () => ({ name: 'America/Vancouver' });
  const clock = systemClock;
  const pace = new Pace(followings);
  const ledger = new CdrLedger({
    db,
    store,
    clock,
    parties,
    zoneOf,
    publishedOf: async () => [],
    meterKeyOf: () => undefined,
    list,
    pace,
    ahead,
  });
  const ended = { location: exampleLocation, tariff: exampleTariff, tariffVersion: 1, token: exampleToken, energyWh: '12400' };
  const verbs = {
    receive: (id: string) => ledger.receive(Buffer.from(theirs.replaceAll(NAMED, id))),
    issue: (id: string) => {
      const cdr_token = { ...exampleSession.cdr_token, uid: id, contract_id: id };
      return ledger.issue({ ...ended, session: { ...exampleSession, id, cdr_token } });
    },
  };
  for (const [name, verb] of Object.entries(verbs)) {
    await callers(verb, WARM_UP_SECONDS);
    const texts = await recorded(db, store);
    const storeAlone = await openStoreAlone(url, texts);
    await callers(storeAlone.append, seconds);
    const turns: { perSecond: number; alone: number; worstMs: number }[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const lag = new Lag(store, followings);
      const perSecond = await callers(verb, seconds);
      const worstMs = await lag.end();
      turns.push({ perSecond, worstMs, alone: await callers(storeAlone.append, seconds) });
    }
    await storeAlone.close();
    const [perSecond, alone] = [mean(turns.map((turn) => turn.perSecond)), mean(turns.map((turn) => turn.alone))];
    rows.push(
      { what: `${name}: CDRs recorded`, figure: perSecond, unit: 'CDRs/s' },
      { what: `  bytes of one: its entry and its private part`, figure: mean(texts.map(({ data }) => Buffer.byteLength(data))), unit: 'bytes' },
      { what: `${name}: the event store alone, the same bytes`, figure: alone, unit: 'events/s' },
      { what: `  ${name} / the event store alone`, figure: perSecond / alone, unit: 'x', of: 'the event store alone', wanted: '>= 0.5' },
      { what: `  chain and lists behind at most`, figure: Math.max(...turns.map(({ worstMs }) => worstMs)) / 1000, unit: 's', wanted: '<= 1' },
    );
  }
  rows.push(...(await benchVerifying({ db, store, chain: followings[1]!, list })));
  for (const following of followings) await following.stop();
  rows.push(...(await benchSealing(url, Math.min(cdrs * 5, 100_000))));
  rows.push(...(await benchPages(db, url, cdrs)), ...(await benchRerating(db, store, url, cdrs)));
  await store.close();
  await db.close();
  return rows;
}

async function callers(verb: (id: string) => Promise<unknown>, seconds: number): Promise<number> {
  const started = performance.now();
  const until = started + seconds * 1000;
  let done = 0;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    while (performance.now() < until) {
      await verb(`B${randomUUID().slice(0, 18)}`);
      done += 1;
    }
  }));
  return (done * 1000) / (performance.now() - started);
}

/** What was recorded last, all its bytes in one event: an entry, and the private part that lies in a row of its own. */
async function recorded(db: Database, store: EventStore): Promise<{ data: string; type: string }[]> {
  const events = await store.readAll(((await store.last())?.position ?? 0n) - 1_000n, 1_000);
  const idOf = ({ data }: { data: string }) => (JSON.parse(data) as { private: { id: string } }).private.id;
  const parts = await privateParts(db).find(events.map(idOf));
  return events.map((event) => ({ type: event.type, data: `{"entry":${event.data},"private":${parts.get(idOf(event))!.text}}` }));
}

/** The store at its best: events of the same texts, each awaited, each on a stream of its own. */
async function openStoreAlone(url: string, texts: readonly { data: string; type: string }[]) {
  const db: Database = await openDatabase({ url, schema: 'bench_store', migrations: eventStoreMigrations });
  const store = postgresEventStore(db);
  let n = 0;
  return {
    async append() {
      const { data, type } = texts[(n += 1) % texts.length]!;
      await store.append([{ stream: `cdr-${randomUUID()}`, expected: 0, events: [{ id: timeUuid(), type, data }] }]);
    },
    async close() {
      await store.close();
      await db.close();
    },
  };
}

function mean(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}

/** How long after it was in the log an event was in all rows, at worst; measured until all are. */
class Lag {
  private readonly store: EventStore;
  private readonly followings: readonly Following[];
  private readonly seen: { position: bigint; atMs: number }[] = [];
  private readonly watching: Promise<void>;
  private worstMs = 0;
  private ended = false;

  constructor(store: EventStore, followings: readonly Following[]) {
    this.store = store;
    this.followings = followings;
    this.watching = this.watch();
  }

  async end(): Promise<number> {
    this.ended = true;
    await this.watching;
    return this.worstMs;
  }

  private async watch(): Promise<void> {
    while (!this.ended || this.seen.length > 0) {
      const position = (await this.store.last())?.position ?? 0n;
      if (!this.ended) this.seen.push({ position, atMs: performance.now() });
      const reached = await Promise.all(this.followings.map((following) => following.position()));
      const slowest = reached.reduce((least, one) => (one < least ? one : least));
      while (this.seen.length > 0 && this.seen[0]!.position <= slowest)
        this.worstMs = Math.max(this.worstMs, performance.now() - this.seen.shift()!.atMs);
      await sleep(20);
    }
  }
}

process.stdout.write(JSON.stringify(await bench(JSON.parse(process.argv[2] ?? '{}') as Parameters<typeof bench>[0])));
process.exit(0);
