import { outbox, serve } from '#bus';
import { Rejected } from '#decider';
import { type Running, startService } from '#service';
import { BadSettings, type Env } from '#settings';
import { locationsOf } from './config.ts';
import { Locations } from './locations.ts';
import { LocationsModule } from './locations.module.ts';
import { migrations } from './migrations.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'locations', migrations }, async ({ bus, db, settings, onStop }) => {
    const told = outbox('locations', db);
    const locations = new Locations({ db, outbox: told, clock: settings.clock, parties: settings.parties });
    await locations.describe(locationsOf(settings)).catch((error: unknown) => {
      if (error instanceof Rejected) throw new BadSettings(`${settings.file}: locations: ${error.detail}`);
      throw error;
    });
    const serving = await serve({
      module: LocationsModule.with(locations), bus, db, listener: 'locations',
      tells: [told],
    });
    onStop(() => serving.close());
  });
}
