import { fromEventStore, serve, tellable } from '#bus';
import { Rejected } from '#decider';
import { workDue } from '#due';
import { executor, postgresEventStore } from '#event-store';
import { type Running, startService } from '#service';
import { BadSettings, type Env } from '#settings';
import { describedOffers, GrantRows } from '#grants';
import { tariffsOf } from './config.ts';
import { DescribedTariffs } from './described.ts';
import { describedLocations, evsesFreeForOthers, evsesOf, tariffsNamed } from './metered-evses.ts';
import { migrations } from './migrations.ts';
import { noteReturns, type Returning } from './returning.ts';
import { TariffEngine } from './tariff-engine.ts';
import { TariffEngineModule } from './tariff-engine.module.ts';
import { tariffDecider } from './tariff.ts';
import { tells } from './tells.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'tariff-engine', migrations }, async ({ bus, db, log, settings, onStop }) => {
    const { clock, parties } = settings;
    const store = tellable(postgresEventStore(db), tells);
    onStop(() => store.close());
    const tariffs = executor(store, { decider: tariffDecider, stream: (stream) => stream });
    const grants = new GrantRows(describedOffers(settings));
    const locations = describedLocations(settings);
    const engine = new TariffEngine({ db, bus, store, tariffs, clock, parties, grants, evsesOf: evsesOf(locations) });
    const described = new DescribedTariffs({ db, bus, clock, engine, log });
    await described.describe(tariffsOf(settings), (id) => (error) => {
      if (error instanceof Rejected) throw new BadSettings(`${settings.file}: tariffs: ${id}: ${error.detail}`);
      throw error;
    });
    await noteReturns(db, (key) => engine.find(key));
    await described.warnOfUnpublished(tariffsNamed(locations));
    described.warnOfFree(evsesFreeForOthers(locations, settings));
    const serving = await serve({
      module: TariffEngineModule.with(engine), bus, db, listener: 'tariff-engine',
      tells: [fromEventStore('tariff-engine', store, tells)],
    });
    onStop(() => serving.close());
    const worker = workDue(db, clock, {
      service: 'tariff-engine', log,
      kinds: {
        withdraw: (due, attempt) => described.withdraw(due, attempt),
        'return-earlier': async ({ body }) => {
          await engine.returnEarlier(body as Returning);
          return 'done';
        },
      },
    });
    onStop(() => worker.stop());
  });
}
