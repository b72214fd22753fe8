import { outbox, serve } from '#bus';
import { Rejected } from '#decider';
import { Erasing } from '#erasure';
import { type Running, startService } from '#service';
import { BadSettings, type Env } from '#settings';
import { locationsOf } from './config.ts';
import { locationsForgetting } from './forgetting.ts';
import { Locations } from './locations.ts';
import { LocationsModule } from './locations.module.ts';
import { migrations } from './migrations.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'locations', migrations }, async ({ bus, db, log, settings, onStop }) => {
    const told = outbox('locations', db);
    const locations = new Locations({ db, outbox: told, clock: settings.clock, parties: settings.parties });
    const erasing = await Erasing.open({ service: 'locations', bus, db, log, key: settings.key('erasures') });
    const described = locationsOf(settings);
    await locations.describe(described).catch((error: unknown) => {
      if (error instanceof Rejected) throw new BadSettings(`${settings.file}: locations: ${error.detail}`);
      throw error;
    });
    const serving = await serve({
      module: LocationsModule.with(locations, erasing), bus, db, listener: 'locations',
      tells: [told],
    });
    onStop(() => serving.close());
    await erasing.start(locationsForgetting(locations, described));
    onStop(() => erasing.stop());
  });
}
