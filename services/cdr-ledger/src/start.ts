import { fromEventStore, serve } from '#bus';
import { Erasing } from '#erasure';
import { postgresEventStore } from '#event-store';
import { type Running, startService } from '#service';
import type { Env } from '#settings';
import { zone } from '#time';
import { CdrLedger } from './cdr-ledger.ts';
import { CdrLedgerModule } from './cdr-ledger.module.ts';
import { chainRows } from './chain-rows.ts';
import { CONNECTIONS, ledgerSettings } from './config.ts';
import { Disputes } from './disputes.ts';
import { follow } from './follow.ts';
import { meterKeys } from './meters.ts';
import { ledgerForgetting } from './forgetting.ts';
import { migrations } from './migrations.ts';
import { openForKnownTokens } from './opening.ts';
import { Pace } from './pace.ts';
import { privateParts } from './private-parts.ts';
import { cdrList } from './projections/cdr-list.ts';
import { disputeCredits } from './projections/dispute-credits.ts';
import { disputeList } from './projections/dispute-list.ts';
import { RowsAhead } from './projections/rows-ahead.ts';
import { prove, signingOf } from './proving.ts';
import { publishedFrom } from './published.ts';
import { Recorder } from './record.ts';
import { Retail } from './retail.ts';
import { retailSettings } from './retail-config.ts';
import { Settling } from './settling.ts';
import { toTold, withPrivateParts } from './tells.ts';
import { zonesFrom } from './places.ts';

export function start(env: Env): Promise<Running> {
  return startService(
    env,
    { name: 'cdr-ledger', migrations, poolMax: CONNECTIONS },
    async ({ settings, db, bus, log, onStop }) => {
      const own = ledgerSettings(settings);
      const { time_zone: timeZone } = own;
      const signing = signingOf(settings, own);
      const erasing = await Erasing.open({ service: 'cdr-ledger', bus, db, log, key: settings.key('erasures') });
      const { marks } = erasing;
      const store = postgresEventStore(db);
      onStop(() => store.close());
      const ahead = new RowsAhead();
      const list = follow(db, store, cdrList(ahead), log);
      onStop(() => list.stop());
      const chain = follow(db, store, chainRows(), log);
      onStop(() => chain.stop());
      const recorder = new Recorder(store, privateParts(db, marks));
      const disputeRows = follow(db, store, disputeList, log);
      onStop(() => disputeRows.stop());
      const credits = follow(db, store, disputeCredits({ db, recorder }, list), log);
      onStop(() => credits.stop());
      const { clock, parties } = settings;
      const disputes = new Disputes({ db, recorder, clock, parties, cdrs: list, list: disputeRows });
      const ledger = new CdrLedger({
        db,
        store,
        clock,
        parties,
        zoneOf: zonesFrom(bus),
        publishedOf: publishedFrom(bus, clock),
        meterKeyOf: meterKeys(settings, (each) => parties.has(each)),
        list,
        marks,
        ahead,
        pace: new Pace([list, chain, disputeRows, credits]),
      });
      const settling = new Settling({
        db,
        recorder,
        clock,
        parties,
        timeZone,
        list,
        disputes: disputeRows,
      });
      const plans = retailSettings(settings);
      const retailing = { db, bus, store, recorder, clock, parties, log, list, zone: zone(timeZone) };
      const retail = plans === undefined ? Retail.none : await Retail.keep(retailing, plans);
      onStop(() => retail.stop());
      const others = [disputeRows, credits, ...retail.followings];
      const proving = prove({
        db, store, clock, parties, timeZone, signing, log, chain, list, others,
        kinds: plans === undefined ? ['cdrs'] : ['cdrs', 'accounts'],
      });
      onStop(() => proving.signing.stop());
      const serving = await serve({
        module: CdrLedgerModule.with({ ledger, disputes, settling, retail, erasing, ...proving }),
        bus,
        db,
        listener: 'cdr-ledger',
        tells: [fromEventStore('cdr-ledger', withPrivateParts(store, db), toTold)],
      });
      onStop(() => serving.close());
      const accounts = retail.accountsIfKept;
      if (accounts && plans) onStop(openForKnownTokens({ db, bus, accounts, marks, log, limits: plans.limits }));
      const followings = [list, ...others];
      await erasing.start(ledgerForgetting({ db, clock, parties, timeZone, followings }));
      onStop(() => erasing.stop());
    },
  );
}
