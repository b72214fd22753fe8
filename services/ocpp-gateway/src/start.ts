import { fromEventStore, serve, tellable } from '#bus';
import { executor, postgresEventStore } from '#event-store';
import { type Running, startService } from '#service';
import type { Env } from '#settings';
import { configOf } from './config.ts';
import { Gateway } from './gateway.ts';
import { migrations } from './migrations.ts';
import { OcppGatewayModule } from './ocpp-gateway.module.ts';
import { stationDecider } from './station.ts';
import { streamOf, tells } from './tells.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'ocpp-gateway', migrations }, async ({ bus, db, log, tracer, settings, onStop }) => {
    const config = configOf(settings);
    const store = tellable(postgresEventStore(db), tells);
    onStop(() => store.close());
    const serving = await serve({
      module: OcppGatewayModule.with(db), bus, db, listener: 'ocpp-gateway',
      tells: [fromEventStore('ocpp-gateway', store, tells)],
    });
    onStop(() => serving.close());
    const gateway = new Gateway({
      bus, db, config, log, tracer,
      clock: settings.clock,
      key: settings.key('station secrets'),
      journal: executor(store, { decider: stationDecider, stream: streamOf }),
    });
    const ocpp = await gateway.listen();
    onStop(() => gateway.close());
    return { ocpp };
  });
}
