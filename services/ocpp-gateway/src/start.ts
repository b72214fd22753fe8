import { fromEventStore, serve, tellable } from '#bus';
import { Erasing, HolderKeys, sealedStore } from '#erasure';
import { executor, postgresEventStore } from '#event-store';
import { type Running, startService } from '#service';
import type { Env } from '#settings';
import { configOf } from './config.ts';
import { journalForgetting } from './forgetting.ts';
import { Gateway } from './gateway.ts';
import { migrations } from './migrations.ts';
import { OcppGatewayModule } from './ocpp-gateway.module.ts';
import { personal } from './personal.ts';
import { stationDecider } from './station.ts';
import { streamOf, tells } from './tells.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'ocpp-gateway', migrations }, async ({ bus, db, log, tracer, settings, onStop }) => {
    const config = configOf(settings);
    const erasing = await Erasing.open({ service: 'ocpp-gateway', bus, db, log, key: settings.key('erasures') });
    const { marks } = erasing;
    const keys = new HolderKeys(db);
    const store = tellable(sealedStore(postgresEventStore(db), { keys, marks, personal }), tells);
    onStop(() => store.close());
    const journal = executor(store, { decider: stationDecider, stream: streamOf });
    const serving = await serve({
      module: OcppGatewayModule.with({ db, journal, erasing }), bus, db, listener: 'ocpp-gateway',
      tells: [fromEventStore('ocpp-gateway', store, tells)],
    });
    onStop(() => serving.close());
    const gateway = new Gateway({
      bus, db, config, log, tracer,
      clock: settings.clock,
      key: settings.key('station secrets'),
      journal,
    });
    await erasing.start(journalForgetting({
      db, keys,
      emptyCaches() {
        journal.forget();
        gateway.forgetCards();
      },
    }));
    onStop(() => erasing.stop());
    const ocpp = await gateway.listen();
    onStop(() => gateway.close());
    return { ocpp };
  });
}
