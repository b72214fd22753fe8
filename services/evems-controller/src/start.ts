import { fromEventStore, serve, tellable } from '#bus';
import { executor, postgresEventStore } from '#event-store';
import { type Running, startService } from '#service';
import type { Env } from '#settings';
import { sitesOf } from './config.ts';
import { EvemsController } from './evems-controller.ts';
import { EvemsControllerModule } from './evems-controller.module.ts';
import { limits } from './limits.ts';
import { migrations } from './migrations.ts';
import { Profiles } from './profiles.ts';
import { toTold } from './tells.ts';

const name = 'evems-controller';

/** Real time. */
const OWNER_TTL_MS = 6_000;
const LOOK_EVERY_MS = 500;

export function start(env: Env): Promise<Running> {
  return startService(
    env,
    { name, migrations },
    async ({ settings, bus, db, log, tracer, onStop }) => {
      const sites = sitesOf(settings);
      const store = tellable(postgresEventStore(db), toTold);
      onStop(() => store.close());
      const logbook = executor(store, { decider: limits, stream: (siteId) => `site-${siteId}` });
      const { clock } = settings;
      const evems = new EvemsController({
        sites,
        db,
        bus,
        clock,
        log,
        tracer,
        logbook,
        lookEveryMs: LOOK_EVERY_MS,
        ownerTtlMs: OWNER_TTL_MS,
      });
      const profiles = new Profiles({
        db, clock, sites, logbook, changed: (stationId) => evems.stationChanged(stationId),
      });
      const serving = await serve({
        module: EvemsControllerModule.with(evems, profiles),
        bus,
        db,
        listener: name,
        tells: [fromEventStore(name, store, toTold)],
      });
      onStop(() => serving.close());
      evems.start();
      onStop(() => evems.stop());
    },
  );
}
