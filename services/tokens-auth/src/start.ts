import { outbox, serve } from '#bus';
import { type Running, startService } from '#service';
import type { Env } from '#settings';
import { Erasing } from '#erasure';
import { GrantRows } from '#grants';
import { Cards } from './cards.ts';
import { describedPlaces } from './described-places.ts';
import { Erasures } from './erasures.ts';
import { tokensForgetting } from './forgetting.ts';
import { migrations } from './migrations.ts';
import { TokensAuth } from './tokens-auth.ts';
import { TokensAuthModule } from './tokens-auth.module.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'tokens-auth', migrations }, async (service) => {
    const { bus, db, log, settings } = service;
    const { clock, parties } = settings;
    const told = outbox('tokens-auth', db);
    const erasing = await Erasing.open({ service: 'tokens-auth', bus, db, log, key: settings.key('erasures') });
    const tokens = new TokensAuth({ db, outbox: told, clock, parties, log, marks: erasing.marks });
    const cards = new Cards({ db, bus, outbox: told, clock, parties, log, grants: new GrantRows(), described: describedPlaces(settings) });
    const erasures = new Erasures({ bus, db, outbox: told, clock });
    const serving = await serve({
      module: TokensAuthModule.with({ tokens, cards, erasures, erasing }), bus, db, listener: 'tokens-auth',
      tells: [told],
    });
    service.onStop(() => serving.close());
    await erasing.start(tokensForgetting(db, told));
    service.onStop(() => erasing.stop());
  });
}
