import { fromEventStore, outbox, tellable } from '#bus';
import type { DueWorker } from '#due';
import { Erasing } from '#erasure';
import { executor, postgresEventStore } from '#event-store';
import { describedOffers, GrantRows } from '#grants';
import type { Party } from '#ocpi';
import type { Tx } from '#postgres';
import type { Service } from '#service';
import { BadSettings } from '#settings';
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
import type { Handlers } from './exchange.ts';
import { Fetching } from './pulls/fetching.ts';
import { GrantedNow } from './granted-now.ts';
import { Hub } from './hub/hub.ts';
import { HubMembers } from './hub/members.ts';
import { HubPushAll } from './hub/push-all.ts';
import { OcpiGateway } from './ocpi-gateway.ts';
import type { Partner } from './partners/partner.ts';
import { PartnerProfiles } from './partner-profiles.ts';
import { Partners } from './partners/partners.ts';
import { ProfileRelay } from './profile-relay.ts';
import { Profiles } from './profiles.ts';
import { PushAll } from './pushes/push-all.ts';
import { Pulling } from './pulls/pulling.ts';
import { receivedHandlers } from './received.ts';
import { secretsOf } from './partners/secrets.ts';
import { Seen } from './seen.ts';
import { sentHandlers } from './sent.ts';
import { Sightings } from './partners/sightings.ts';
import { Steering } from './steering.ts';
import { Unlocking } from './unlocking.ts';

/** What the service is made of, and how its parts hang together. */
export type Wired = Awaited<ReturnType<typeof wire>>;

/** Where partners reach this process, and who works on what is due: neither is there from the start. */
interface Process {
  publicUrl: string;
  worker?: DueWorker;
}

export async function wire(service: Service, publicUrl: string) {
  const { bus, db, log, tracer, settings: { clock, parties } } = service;
  const settings = ocpiSettings(service.settings);
  const erasing = await Erasing.open({ service: 'ocpi-gateway', bus, db, log, key: service.settings.key('erasures') });
  const told = outbox('ocpi-gateway', db);
  const store = tellable(postgresEventStore(db), agreementTells);
  service.onStop(() => store.close());
  const agreements = new Agreements({ log: executor(store, { decider: agreementDecider, stream: agreementStream }), parties, clock });
  const secrets = secretsOf(service.settings);
  const grants = new GrantRows(describedOffers(service.settings));
  const dialects = new Dialects({ db, bus, grants, clock, parties });
  const sightings = new Sightings({ db, clock, log });
  const calls = new Calls({ settings, parties, secrets, tracer, dialects, sightings });
  service.onStop(() => calls.close());
  service.onStop(() => sightings.stop());
  const running: Process = { publicUrl };
  const wake = () => running.worker?.wake();
  const reached = {
    publicUrl: () => running.publicUrl,
    versionsUrl: () => `${running.publicUrl}/ocpi/versions`,
    worker: () => running.worker ?? { wake: () => {}, stop: async () => {} },
  };
  const steering = new Steering({ db, bus, clock, grants, parties, key: service.settings.key('aliases of steered sessions') });
  const parts = { db, bus, grants, steering, outbox: told, calls, secrets, clock, parties, settings, log, ...reached };
  const members = membersOf(service, parts);
  // A hub passes on what it does not read: all its members speak what it speaks.
  const versions = members ? ['2.2.1' as const] : settings.versions;
  const links = members ?? {
    joined: async (tx: Tx, { id }: Partner) => pulling?.joined(tx, id),
    ended: (tx: Tx, partner: Partner) => steering.left(tx, partner),
  };
  const partners: Partners = new Partners({ ...parts, versions, dialects, links });
  const clientInfos = new ClientInfos({ db, calls, clock, grants, log, partners, members, steering, isOurs: (one) => parties.has(one) });
  const pulling = members ? undefined : new Pulling({ db, bus, calls, clock, log, settings, partners, clientInfos });
  const configuration = { ...configurationHandlers(partners, reached.publicUrl), ...clientInfos.handlers() };
  return {
    ...parts, running, wake, erasing, agreements, dialects, sightings, versions, partners, clientInfos, pulling, members, configuration,
    tells: [told, fromEventStore('agreements', store, agreementTells)],
    gateway: new OcpiGateway(parts),
    delivery: new Delivery({ ...parts, ...(members ? { mayMeet: (a: Party, b: Party) => members.mayMeet(a, b) } : {}) }),
    pushAll: new PushAll({ db, bus, clock, grants, steering, interfaces: partners.interfaces, log }),
    toNewMember: members && new HubPushAll({ db, members }),
    hub: members && new Hub({
      ...parts, party: parties.first, members, key: service.settings.key('crossings of the hub'), pageLimit: settings.page_limit,
    }),
  };
}

/** Of a hub: its members. */
function membersOf(service: Service, parts: Omit<ConstructorParameters<typeof HubMembers>[0], 'settings'>): HubMembers | undefined {
  const { parties, file } = service.settings;
  if (!parties.all.some(({ roles }) => roles.includes('HUB'))) return undefined;
  if (parties.all.length > 1 || parties.first.roles.length > 1) {
    throw new BadSettings(`${file}: party.roles: a hub is a platform of its own, with no other party or role`);
  }
  return new HubMembers({ ...parts, settings: hubSettings(service.settings) });
}

/** What has to do with charges and what is granted of them: a hub passes that on. */
export type WiredCharges = ReturnType<typeof wireCharges>;

export function wireCharges(wired: Wired) {
  const { db, bus, clock, grants, parties, log, settings, calls, steering, sightings, pulling, outbox, wake } = wired;
  const grantedNow = () => grants.at(db, clock.now());
  const seen = new Seen({ bus, grantedNow });
  const fetching = pulling && new Fetching({ db, bus, calls, clock, log, settings, pulling, wake });
  const unlocking = new Unlocking({ db, bus, clock, wake });
  const commands = new Commands({ ...wired, unlocking, seen });
  const profiles: Profiles = new Profiles({ ...wired, relay: () => relay });
  const partnerProfiles: PartnerProfiles = new PartnerProfiles({ ...wired, relay: () => relay });
  const relay: ProfileRelay = new ProfileRelay({
    db, clock, steering, partnerProfiles, wake, resultDue: (tx, order, body) => profiles.resultDue(tx, order, body),
  });
  const grantedTo = new GrantedNow({ db, bus, clock, grants, parties, log, steering, withdrawElsewhere: (steered) => relay.withdraw(steered) });
  const handlers = (): Handlers => ({
    ...receivedHandlers(bus, fetching!, sightings),
    ...sentHandlers(bus, parties, { db, outbox, clock, pageLimit: settings.page_limit, grantedNow, seen, steering }),
    ...commands.handlers(), ...profiles.handlers(), ...partnerProfiles.handlers(),
  });
  return { fetching, unlocking, commands, profiles, partnerProfiles, grantedTo, handlers };
}
