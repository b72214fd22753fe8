import type { AddressInfo } from 'node:net';
import { serve, startRelay } from '#bus';
import { addDue, workDue } from '#due';
import { type Running, type Service, startService } from '#service';
import { BadSettings, type Env } from '#settings';
import { hubSettings } from './config.ts';
import { deliveriesForgetting } from './forgetting.ts';
import { noteRules } from './hub/rules.ts';
import { migrations } from './migrations.ts';
import { OcpiGatewayModule } from './ocpi-gateway.module.ts';
import { ocpiServer } from './ocpi-server.ts';
import { OperatorDesk } from './partners/operator-desk.ts';
import { PartnerQuirks } from './partners/partner-quirks.ts';
import { sweepTexts } from './pushes/text-rows.ts';
import { wire, type Wired, wireCharges, type WiredCharges } from './wiring.ts';

/** Lanes worked on at the same time. One that is down keeps a place for one request's time-out per pause, and one object in it. */
const LANES = 512;
/** To the database: who queues holds some while who sends notes how it went. */
const CONNECTIONS = 12;
/** Facts in one transaction: of a Location that changed many times in it only the last is written, and partners are roused once. */
const HEARD_AT_ONCE = 1_000;
/** In a rush of changes of Locations, for how long the next gather, real time: a partner has a status within 2 s all the same. */
const GATHER_MS = 250;
/** What a killed process was working on waits for so long. */
const LEASE_MS = 5_000;
const PATIENCE_AT_STOP_MS = 2_000;
const SWEEP_EVERY_MS = 30_000;

export function start(env: Env): Promise<Running> {
  return startService(env, { name: 'ocpi-gateway', migrations, poolMax: CONNECTIONS }, async (service) => {
    const { db, log } = service;
    const does = processOf(service);
    const publicUrl = service.settings.variable('OCPI_PUBLIC_URL', '').replace(/\/+$/, '');
    if (does === 'sending' && publicUrl === '') {
      throw new BadSettings('environment variable OCPI_PUBLIC_URL is not set: a process that only sends listens on no port that could be told to partners');
    }
    const wired = await wire(service, publicUrl);
    const charges = wireCharges(wired);
    if (does === 'sending') {
      const telling = startRelay(wired.bus, wired.outbox);
      service.onStop(() => telling.close());
    } else {
      await listen(service, wired, charges);
    }
    const { erasing, outbox, clock, parties, wake, calls } = wired;
    await erasing.start(deliveriesForgetting({ db, outbox, clock, parties, wake }));
    service.onStop(() => erasing.stop());
    if (does === 'listening') log.info('what falls due is left to a process with OCPI_PROCESS=sending');
    else await work(service, wired, charges);
    const sweeping = setInterval(
      () => void sweepTexts(db).catch((error: unknown) => log.warn('texts that nobody has stay', { error })),
      SWEEP_EVERY_MS,
    );
    service.onStop(() => clearInterval(sweeping));
    service.onStop(() => wired.running.worker?.stop());
    // Whoever waits for a slow partner is let go: its answer is unclear then, and looked after by the next start.
    service.onStop(() => void setTimeout(() => void calls.close(), PATIENCE_AT_STOP_MS).unref());
    if (does !== 'sending') return { ocpi: wired.versionsUrl() };
  });
}

/** Partners by OCPI, the other services by asks and facts. */
async function listen(service: Service, wired: Wired, { handlers, profiles, partnerProfiles }: WiredCharges): Promise<void> {
  const { bus, db, tracer } = service;
  const { partners, parties, settings, clock, log, versions, dialects, sightings, publicUrl, configuration, hub, members, pulling, wake } = wired;
  const http = ocpiServer({
    partners, parties, settings, clock, log, tracer, versions, dialects, sightings, publicUrl,
    handlers: { ...configuration, ...(hub ? hub.handlers() : handlers()) },
    ...(hub && members ? { relays: true, more: hub.crossings(), heard: (partner) => members.heard(partner) } : {}),
  });
  const { host, port } = listenAt(service);
  await http.listen({ host, port });
  service.onStop(() => http.close());
  wired.running.publicUrl ||= addressOf(host, (http.server.address() as AddressInfo).port);
  const serving = await serve({
    module: OcpiGatewayModule.with({
      ...wired,
      desk: new OperatorDesk({ db, clock, partners, dialects }),
      profiles,
      partnerProfiles,
      quirks: new PartnerQuirks({
        db, clock, log, wake, readAnew: async (tx, partnerId) => pulling?.soon(tx, partnerId, { full: true }),
      }),
    }),
    bus,
    db,
    listener: 'ocpi-gateway',
    batch: HEARD_AT_ONCE,
    gatherMs: GATHER_MS,
    tells: wired.tells,
  });
  service.onStop(() => serving.close());
}

/** What falls due. */
async function work({ db, settings, log }: Service, wired: Wired, charges: WiredCharges): Promise<void> {
  const { clock, members, hub, pulling } = wired;
  if (members) await db.tx((tx) => noteRules(tx, members, hubSettings(settings), clock.now()));
  wired.running.worker = workDue(db, clock, {
    concurrency: LANES,
    leaseMs: LEASE_MS,
    service: 'ocpi-gateway',
    log,
    early: ['push', 'push-all', 'steer', 'tell-links', 'unlock', 'command-result', 'pull-once', 'fetch', 'pull-clients', 'hub-sweep', 'watch'],
    kinds: kindsOf(wired, charges),
  });
  await pulling?.afterStart();
  if (hub) await db.tx((tx) => addDue(tx, { id: 'hub sweep', key: 'hub sweep', kind: 'hub-sweep', at: clock.now(), body: {} }));
}

function kindsOf(
  { db, delivery, toNewMember, pushAll, partners, pulling, clientInfos, hub, members }: Wired,
  { grantedTo, profiles, unlocking, commands, fetching }: WiredCharges,
): Parameters<typeof workDue>[2]['kinds'] {
  return {
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
  };
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
