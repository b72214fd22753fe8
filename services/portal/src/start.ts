import { FastifyAdapter } from '@nestjs/platform-fastify';
import { serve } from '#bus';
import { GuessLimit } from '#admission';
import { Erasing } from '#erasure';
import { openOrm } from '#postgres';
import { type Running, startService } from '#service';
import type { Env } from '#settings';
import { accountRoutes } from './account-routes.ts';
import { accountStatementRoutes } from './account-statement-routes.ts';
import { ChargeProfiles } from './charge-profiles.ts';
import { Charges } from './charges.ts';
import { configOf } from './config.ts';
import { disputeRoutes } from './dispute-routes.ts';
import { driverRoutes } from './driver-routes.ts';
import { Drivers } from './drivers.ts';
import { entities } from './entities.ts';
import { erasureRoutes } from './erasure-routes.ts';
import { ownReservationRoutes, reservationRoutes } from './reservation-routes.ts';
import { Reservations } from './reservations.ts';
import { searchEvses } from './evses.ts';
import { driversForgetting } from './forgetting.ts';
import { fastifyOptions, mountRoutes } from './http.ts';
import { keepIssuing } from './issuing.ts';
import { ledgerRoutes } from './ledger-routes.ts';
import { listRoutes } from './list-routes.ts';
import { Live } from './live.ts';
import { migrations } from './migrations.ts';
import { openApi } from './openapi.ts';
import { operatorRoutes } from './operator-routes.ts';
import { operatorKeys } from './operator-keys.ts';
import { PortalModule } from './portal.module.ts';
import { profileRoutes } from './profile-routes.ts';
import { Receipts } from './receipts.ts';
import { RetailPrices } from './retail.ts';
import { signInRoute } from './sign-in-route.ts';
import { tariffRoutes } from './tariff-routes.ts';

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'portal', migrations }, async ({ bus, db, log, tracer, settings, onStop }) => {
    const config = configOf(settings);
    const { parties, clock } = settings;
    const erasing = await Erasing.open({ service: 'portal', bus, db, log, key: settings.key('erasures') });
    const orm = await openOrm({ url: settings.databaseUrl, schema: db.schema, entities });
    onStop(() => orm.close());
    const drivers = new Drivers(orm, db, {
      logInHours: config.logInHours, markKey: settings.key('drivers\' passwords'),
    });
    await drivers.describe(config.drivers);
    const stopIssuing = await keepIssuing(bus, config.drivers, log);
    onStop(stopIssuing);

    const retail = new RetailPrices(bus);
    const charges = new Charges({ bus, db, clock, retail });
    const live = await Live.watching(bus, charges);
    const routes = [
      signInRoute(drivers),
      ...driverRoutes({
        charges, live, receipts: new Receipts(bus, retail), evses: searchEvses(bus, clock, retail, parties),
      }),
      ...reservationRoutes(new Reservations({ bus, db, clock, charges })),
      ...ownReservationRoutes(bus),
      ...profileRoutes(new ChargeProfiles({ bus, charges, parties })),
      ...accountRoutes(bus),
      ...accountStatementRoutes(bus),
      ...operatorRoutes(bus, parties),
      ...ledgerRoutes(bus),
      ...listRoutes(bus),
      ...tariffRoutes(bus),
      ...disputeRoutes(bus),
      ...erasureRoutes(bus),
    ];
    const adapter = new FastifyAdapter(fastifyOptions(config.proxies));
    const serving = await serve({
      module: PortalModule.with(drivers, charges, erasing), bus, db, listener: 'portal',
      http: {
        adapter, port: config.port, host: config.host,
        prepare: (app) => mountRoutes(app, adapter.getInstance(), {
          routes, log, tracer, document: openApi(routes), drivers, isOperator: operatorKeys(config.operatorKeys),
          isHub: parties.all.every(({ roles }) => roles.every((role) => role === 'HUB')),
          guesses: new GuessLimit({ network: config.guesses, each: config.guesses }),
        }),
      },
    });
    onStop(() => serving.close());
    await erasing.start(driversForgetting({ db, parties, drivers: config.drivers }));
    onStop(() => erasing.stop());
    // Streams end first: HTTP waits for what is open.
    onStop(() => live.close());
    return { portal: serving.url! };
  });
}
