import { fromEventStore, heardAll, outbox, serve, tellable } from '#bus';
import { type DueWorker, workDue } from '#due';
import { Erasing, HolderKeys, sealedStore } from '#erasure';
import { postgresEventStore } from '#event-store';
import { type Running, startService } from '#service';
import type { Env } from '#settings';
import { CarryOut } from './carry-out.ts';
import { Charging } from './charging.ts';
import { Commands } from './commands.ts';
import { configOf } from './config.ts';
import { Connectors } from './connectors.ts';
import { sessionsForgetting } from './forgetting.ts';
import { EndReservations } from './end-reservations.ts';
import { KeepFree } from './keep-free.ts';
import { logsOf } from './logs.ts';
import { migrations } from './migrations.ts';
import { OpenSession } from './open-session.ts';
import { findOpening } from './openings.ts';
import { Orders } from './orders.ts';
import { PartnerSessions } from './partner-sessions.ts';
import { Preferences } from './preferences.ts';
import { Profiles } from './profiles.ts';
import { personal } from './personal.ts';
import { Reservations } from './reservations.ts';
import { Said } from './said.ts';
import { Sessions } from './sessions.ts';
import { SessionsModule } from './sessions.module.ts';
import { SendOrder } from './send-order.ts';
import { tells } from './tells.ts';
import { WatchOrder } from './watch-order.ts';
import { WatchSession } from './watch-session.ts';

const LISTENER = 'sessions';

export function start(env: Env): Promise<Running> {
  return startService(
    env,
    { name: 'sessions', migrations },
    async ({ bus, db, log, settings, onStop }) => {
      const { clock, parties, platform } = settings;
      const config = configOf(settings);
      const erasing = await Erasing.open({ service: 'sessions', bus, db, log, key: settings.key('erasures') });
      const { marks } = erasing;
      const keys = new HolderKeys(db);
      const store = tellable(sealedStore(postgresEventStore(db), { keys, marks, personal }), tells);
      onStop(() => store.close());
      const logs = logsOf(store);
      const mirrored = outbox('partner-sessions', db);
      let worker: DueWorker | undefined;
      const parts = {
        bus,
        db,
        clock,
        parties,
        platform,
        config,
        log,
        logs,
        wake: () => worker?.wake(),
      };
      const commands = new Commands(parts);
      const orders = new Orders(parts);
      const heard = (key: string) => heardAll(bus, db, { listener: LISTENER, context: 'ocpp-gateway', key });
      const ends = new EndReservations({ ...parts, heardAll: heard });
      const reservations = new Reservations({ ...parts, commands, ends });
      const carryOut = new CarryOut({
        ...parts,
        keepFree: new KeepFree({ ...parts, ends }),
        openingOf: (sessionId) => findOpening(db, sessionId),
      });
      const sendOrder = new SendOrder({ ...parts, commands, reservations });
      const watchOrder = new WatchOrder(parts);
      const watchSession = new WatchSession({ ...parts, heardAll: heard });
      const said = new Said(parts);
      const connectors = new Connectors({ ...parts, said, ends });
      const openSession = new OpenSession({ ...parts, said });
      const serving = await serve({
        module: SessionsModule.with({
          commands,
          orders,
          connectors,
          erasing,
          reservations,
          charging: new Charging({ ...parts, connectors, said }),
          partnerSessions: new PartnerSessions({ ...parts, outbox: mirrored, marks }),
          preferences: new Preferences(parts),
          profiles: new Profiles(parts),
          sessions: new Sessions(parts),
        }),
        bus,
        db,
        listener: LISTENER,
        tells: [fromEventStore('sessions', store, tells), mirrored],
      });
      onStop(() => serving.close());
      await erasing.start(sessionsForgetting({ db, outbox: mirrored, logs, keys, marks }));
      onStop(() => erasing.stop());
      worker = workDue(db, clock, {
        service: 'sessions',
        log,
        kinds: {
          ...openSession.kinds,
          ...carryOut.kinds,
          ...ends.kinds,
          ...sendOrder.kinds,
          ...watchOrder.kinds,
          ...watchSession.kinds,
        },
      });
      onStop(() => worker?.stop());
    },
  );
}
