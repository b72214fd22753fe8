import { fromEventStore, serve, tellable } from '#bus';
import { Rejected } from '#decider';
import { executor, postgresEventStore } from '#event-store';
import { type Running, startService } from '#service';
import { BadSettings, type Env } from '#settings';
import { tariffsOf } from './config.ts';
import { migrations } from './migrations.ts';
import { TariffEngine } from './tariff-engine.ts';
import { TariffEngineModule } from './tariff-engine.module.ts';
import { tariffDecider } from './tariff.ts';
import { tells } from './tells.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'tariff-engine', migrations }, async ({ bus, db, settings, onStop }) => {
    const { clock, party } = settings;
    const store = tellable(postgresEventStore(db), tells);
    onStop(() => store.close());
    const tariffs = executor(store, { decider: tariffDecider, stream: (stream) => stream });
    const engine = new TariffEngine({ db, store, tariffs, clock, party });
    for (const tariff of tariffsOf(settings)) {
      await engine.publish(tariff).catch((error: unknown) => {
        if (error instanceof Rejected) throw new BadSettings(`tariffs: ${tariff.id}: ${error.detail}`);
        throw error;
      });
    }
    const serving = await serve({
      module: TariffEngineModule.with(engine), bus, db, listener: 'tariff-engine',
      tells: [fromEventStore('tariff-engine', store, tells)],
    });
    onStop(() => serving.close());
  });
}
