import { outbox, serve } from '#bus';
import { type Running, startService } from '#service';
import type { Env } from '#settings';
import { migrations } from './migrations.ts';
import { TokensAuth } from './tokens-auth.ts';
import { TokensAuthModule } from './tokens-auth.module.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'tokens-auth', migrations }, async (service) => {
    const { bus, db, log, settings } = service;
    const { clock, parties } = settings;
    const told = outbox('tokens-auth', db);
    const tokens = new TokensAuth({ db, bus, outbox: told, clock, parties, log });
    const serving = await serve({
      module: TokensAuthModule.with(tokens), bus, db, listener: 'tokens-auth',
      tells: [told],
    });
    service.onStop(() => serving.close());
  });
}
