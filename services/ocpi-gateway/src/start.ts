import type { AddressInfo } from 'node:net';
import { fromEventStore, outbox, serve, startRelay, tellable } from '#bus';
import { addDue, type DueWorker, workDue } from '#due';
import { Erasing } from '#erasure';
import { executor, postgresEventStore } from '#event-store';
import { describedOffers, GrantRows } from '#grants';
import type { Party } from '#ocpi';
import type { Tx } from '#postgres';
import { type Running, type Service, startService } from '#service';
import { BadSettings, type Env } from '#settings';
import { agreementDecider } from './partners/agreement.ts';
import { agreementTells } from './partners/agreement-tells.ts';
import { Agreements, agreementStream } from './partners/agreements.ts';
import { Calls } from './partners/calls.ts';
import { ClientInfos } from './hub/client-infos.ts';
import { Commands } from './commands.ts';
import { hubSettings, ocpiSettings } from './config.ts';
import { configurationHandlers } from './configuration.ts';
import { Delivery } from './pushes/delivery.ts';
import { Dialects } from './partners/dialects.ts';
import { Fetching } from './pulls/fetching.ts';
import { deliveriesForgetting } from './forgetting.ts';
import { Hub } from './hub/hub.ts';
import { HubMembers } from './hub/members.ts';
import { HubPushAll } from './hub/push-all.ts';
import { noteRules } from './hub/rules.ts';
import type { Partner } from './partners/partner.ts';
import { migrations } from './migrations.ts';
import { OcpiGateway } from './ocpi-gateway.ts';
import { OcpiGatewayModule } from './ocpi-gateway.module.ts';
import { ocpiServer } from './ocpi-server.ts';
import { PartnerProfiles } from './partner-profiles.ts';
import { OperatorDesk } from './partners/operator-desk.ts';
import { PartnerQuirks } from './partners/partner-quirks.ts';
import { Partners } from './partners/partners.ts';
import { ProfileRelay } from './profile-relay.ts';
import { Profiles } from './profiles.ts';
import { PushAll } from './pushes/push-all.ts';
import { Pulling } from './pulls/pulling.ts';
import { receivedHandlers } from './received.ts';
import { secretsOf } from './partners/secrets.ts';
import { Seen } from './seen.ts';
import { Sightings } from './partners/sightings.ts';
import { sentHandlers } from './sent.ts';
import { GrantedNow } from './granted-now.ts';
import { Steering } from './steering.ts';
import { sweepTexts } from './pushes/text-rows.ts';
import { Unlocking } from './unlocking.ts';

/** Lanes worked on at the same time. One that is down keeps a place for one request's time-out per pause, and one object in it. */
const LANES = 512;
/** To the database: who queues holds some while who sends notes how it went. */
const CONNECTIONS = 12;
/** Facts in one transaction: of a Location that changed many times in it only the last is written, and partners are roused once. */
const HEARD_AT_ONCE = 1_000;
/** In a rush of changes of Locations, for how long the next gather, real time: a partner has a status within 2 s all the same. */
const GATHER_MS = 400;
/** What a killed process was working on waits for so long. */
const LEASE_MS = 5_000;
const PATIENCE_AT_STOP_MS = 2_000;
const SWEEP_EVERY_MS = 30_000;

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'ocpi-gateway', migrations, poolMax: CONNECTIONS }, async (service) => {
    const { bus, db, log, tracer, settings: { clock, parties, ...given } } = service;
    const settings = ocpiSettings(service.settings);
    const erasing = await Erasing.open({
      service: 'ocpi-gateway', bus, db, log, key: service.settings.key('erasures'),
    });
    const told = outbox('ocpi-gateway', db);
    const store = tellable(postgresEventStore(db), agreementTells);
    service.onStop(() => store.close());
    const agreements = new Agreements({
      log: executor(store, { decider: agreementDecider, stream: agreementStream }), parties, clock,
    });
    const secrets = secretsOf(service.settings);
    const grants = new GrantRows(describedOffers(service.settings));
    const dialects = new Dialects({ db, bus, grants, clock, parties });
    const sightings = new Sightings({ db, clock, log });
    const calls = new Calls({ settings, parties, secrets, tracer, dialects, sightings });
    service.onStop(() => calls.close());
    service.onStop(() => sightings.stop());

    const does = processOf(service);
    let publicUrl = given.variable('OCPI_PUBLIC_URL', '').replace(/\/+$/, '');
    if (does === 'sending' && publicUrl === '') {
      throw new BadSettings('environment variable OCPI_PUBLIC_URL is not set: a process that only sends listens on no port that could be told to partners');
    }
    let worker: DueWorker | undefined;
    const grantedNow = () => grants.at(db, clock.now());
    const seen = new Seen({ bus, grantedNow });
    const steering = new Steering({ db, bus, clock, grants, parties, key: service.settings.key('aliases of steered sessions') });
    const parts = { db, bus, grants, steering, outbox: told, calls, secrets, clock, parties, settings, log };
    const wired = {
      publicUrl: () => publicUrl,
      versionsUrl: () => `${publicUrl}/ocpi/versions`,
      worker: () => worker ?? { wake: () => {}, stop: async () => {} },
    };
    const isHub = parties.all.some(({ roles }) => roles.includes('HUB'));
    const { first: party } = parties;
    if (isHub && (parties.all.length > 1 || party.roles.length > 1)) {
      throw new BadSettings(`${given.file}: party.roles: a hub is a platform of its own, with no other party or role`);
    }
    const members = isHub ? new HubMembers({ ...parts, ...wired, settings: hubSettings(service.settings) }) : undefined;
    const hub =
      members &&
      new Hub({
        ...parts,
        ...wired,
        party,
        members,
        key: given.key('crossings of the hub'),
        pageLimit: settings.page_limit,
      });
    const links = members ?? {
      joined: async (tx: Tx, { id }: Partner) => pulling?.joined(tx, id),
      ended: (tx: Tx, partner: Partner) => steering.left(tx, partner),
    };
    // A hub passes on what it does not read: all its members speak what it speaks.
    const versions = isHub ? ['2.2.1' as const] : settings.versions;
    const partners: Partners = new Partners({ ...parts, ...wired, versions, dialects, links });
    const clientInfos = new ClientInfos({ db, calls, clock, grants, log, partners, members, steering, isOurs: (one) => parties.has(one) });
    const pulling = members ? undefined : new Pulling({ db, bus, calls, clock, log, settings, partners, clientInfos });
    const fetching = pulling && new Fetching({ db, bus, calls, clock, log, settings, pulling, wake: () => worker?.wake() });
    const gateway = new OcpiGateway({ ...parts, ...wired });
    const wake = () => worker?.wake();
    const unlocking = new Unlocking({ db, bus, clock, wake });
    const commands = new Commands({ ...parts, unlocking, seen, wake });
    const profiles: Profiles = new Profiles({ ...parts, wake, relay: () => relay });
    const partnerProfiles: PartnerProfiles = new PartnerProfiles({ ...parts, ...wired, relay: () => relay });
    const relay: ProfileRelay = new ProfileRelay({
      db, clock, steering, partnerProfiles, wake, resultDue: (tx, order, body) => profiles.resultDue(tx, order, body),
    });
    const grantedTo = new GrantedNow({ db, bus, clock, grants, parties, log, steering, withdrawElsewhere: (steered) => relay.withdraw(steered) });
    const delivery = new Delivery({ ...parts, ...(members ? { mayMeet: (a: Party, b: Party) => members.mayMeet(a, b) } : {}) });
    const pushAll = new PushAll({ db, bus, clock, grants, steering, interfaces: partners.interfaces, log });
    const toNewMember = members && new HubPushAll({ db, clock, members });

    if (does === 'sending') {
      const telling = startRelay(bus, told);
      service.onStop(() => telling.close());
    } else {
      const http = ocpiServer({
        partners, parties, settings, clock, log, tracer, versions, dialects, sightings, publicUrl: wired.publicUrl,
        handlers: {
          ...configurationHandlers(partners, wired.publicUrl),
          ...clientInfos.handlers(),
          ...(hub || !fetching ? hub!.handlers() : {
            ...receivedHandlers(bus, fetching, sightings),
            ...sentHandlers(bus, parties, { db, outbox: told, clock, pageLimit: settings.page_limit, grantedNow, seen, steering }),
            ...commands.handlers(),
            ...profiles.handlers(),
            ...partnerProfiles.handlers(),
          }),
        },
        ...(hub && members ? { relays: true, more: hub.crossings(), heard: (partner) => members.heard(partner) } : {}),
      });
      const { host, port } = listenAt(service);
      await http.listen({ host, port });
      service.onStop(() => http.close());
      publicUrl ||= addressOf(host, (http.server.address() as AddressInfo).port);

      const serving = await serve({
        module: OcpiGatewayModule.with({
          gateway,
          partners,
          desk: new OperatorDesk({ db, clock, partners, dialects }),
          agreements,
          erasing,
          pulling,
          profiles,
          partnerProfiles,
          steering,
          quirks: new PartnerQuirks({
            db, clock, log, wake, readAnew: async (tx, partnerId) => pulling?.soon(tx, partnerId, { full: true }),
          }),
        }),
        bus,
        db,
        listener: 'ocpi-gateway',
        batch: HEARD_AT_ONCE,
        gatherMs: GATHER_MS,
        tells: [told, fromEventStore('agreements', store, agreementTells)],
      });
      service.onStop(() => serving.close());
    }
    await erasing.start(deliveriesForgetting({ db, outbox: told, clock, parties, wake }));
    service.onStop(() => erasing.stop());
    if (members && does !== 'listening') await db.tx((tx) => noteRules(tx, members, hubSettings(service.settings), clock.now()));
    if (does === 'listening') log.info('what falls due is left to a process with OCPI_PROCESS=sending');
    else {
      worker = workDue(db, clock, {
        concurrency: LANES,
        leaseMs: LEASE_MS,
        service: 'ocpi-gateway',
        log,
        early: ['push', 'push-all', 'steer', 'tell-links', 'unlock', 'command-result', 'pull-once', 'fetch', 'pull-clients', 'hub-sweep', 'watch'],
        kinds: {
          push: (due, _, hold) => delivery.push(due, hold),
          'push-all': (due, attempt) => (toNewMember ? toNewMember.run(due) : pushAll.run(due, attempt)),
          'tariffs-turn': () => pushAll.tariffsTurned(),
          'grants-turn': (due) => pushAll.grantsTurned(due),
          steer: (due, attempt) => grantedTo.run(due, attempt),
          'tell-links': async () => (await db.tx((tx) => partners.links.tellEnded(tx)), 'done'),
          'profile-lapse': (due) => profiles.lapsed(due),
          unlock: (due, _, hold) => unlocking.carryOut(due, hold),
          'command-result': (due, attempt, hold) => commands.deliverResult(due, attempt, hold),
          pull: async (due) => (pulling ? pulling.run(due) : 'done'),
          'pull-once': async (due, attempt) => (pulling ? pulling.runOnce(due, attempt) : 'done'),
          fetch: async (due, attempt) => (fetching ? fetching.run(due, attempt) : 'done'),
          'pull-clients': (due, attempt) => clientInfos.pull(due, attempt),
          'hub-sweep': async () => (hub ? hub.sweep() : 'done'),
          watch: async (due) => (members ? members.watch(due) : 'done'),
        },
      });
      await pulling?.afterStart();
      if (hub) await db.tx((tx) => addDue(tx, { id: 'hub sweep', key: 'hub sweep', kind: 'hub-sweep', at: clock.now(), body: {} }));
    }
    const sweeping = setInterval(
      () => void sweepTexts(db).catch((error: unknown) => log.warn('texts that nobody has stay', { error })),
      SWEEP_EVERY_MS,
    );
    service.onStop(() => clearInterval(sweeping));
    service.onStop(() => worker?.stop());
    // Whoever waits for a slow partner is let go: its answer is unclear then, and looked after by the next start.
    service.onStop(() => void setTimeout(() => void calls.close(), PATIENCE_AT_STOP_MS).unref());
    if (does !== 'sending') return { ocpi: wired.versionsUrl() };
  });
}

/** Which part of the work a process does: all of it, or one of two that each have a processor to themselves. */
function processOf({ settings }: Service): 'whole' | 'listening' | 'sending' {
  const does = settings.variable('OCPI_PROCESS', 'whole');
  if (does === 'whole' || does === 'listening' || does === 'sending') return does;
  throw new BadSettings(`environment variable OCPI_PROCESS: whole, listening or sending, not ${JSON.stringify(does)}`);
}

function listenAt({ settings }: Service): { host: string; port: number } {
  return { host: settings.variable('HOST', '127.0.0.1'), port: settings.port('OCPI_PORT') };
}

/** As others on this machine reach it; partners elsewhere need OCPI_PUBLIC_URL. */
function addressOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
