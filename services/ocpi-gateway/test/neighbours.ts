import { type Answering, type Bus, busMigrations, connectBus, type Context, type Fact, type Outbox, outbox, type Relay, startRelay } from '#bus';
import { getCdr, listCdrs, receiveCdr } from '#contracts/cdr-ledger';
import { dropHeldLocations, getLocation, listHeldLocations, listLocations, putPartnerLocation, resolveEvse } from '#contracts/locations';
import { Change, type PageRequest, type Party } from '#contracts/party';
import {
  cancelReservation, getSession, getSessionAt, listSessions, putPartnerSession, recordCommandResult, reserveEvse, startSession, stopSession,
} from '#contracts/sessions';
import { deletePartnerTariff, getTariff, listTariffs, putPartnerTariff } from '#contracts/tariff-engine';
import { answerAuthorize, findContractTokens, getToken, listTokens, putPartnerToken } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import { isLike } from '#grants';
import { instant } from '#time';
import { type AskedFor, type Cdr, cameSince, findEvse, isOutdated, patchEvse, patchLocation, patchSession, patchToken, type Location, sameId, type Session, type Tariff, type Token } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import type { TestPlatform } from '#test-servers';

interface Dated {
  readonly last_updated: string;
}

/** What a partner did to an object of its own, as the keeper of the objects sees it. */
export interface Taken {
  readonly what: string;
  readonly body: unknown;
}

export interface Answers {
  startSession?: (order: { orderId: string; locationId: string; token: Token; party: string | undefined }) => Promise<{ result: string; unknownLocation?: boolean }>;
}

/**
 * The other side of the contracts that the gateway stands between: keeps what partners push by the rules
 * of #ocpi, lists what is ours, and tells facts from logs of its own.
 */
export class Neighbours {
  readonly taken: Taken[] = [];
  readonly own = { locations: [] as Location[], tariffs: [] as Tariff[], tokens: [] as Token[], sessions: [] as Session[], cdrs: [] as Cdr[] };
  /** Whom a tariff is for, by its id; for all where it is not there. */
  readonly onlyFor: Record<string, string[]> = {};
  /** Ids of our Locations that are for no partner. */
  readonly privates = new Set<string>();
  /** Where a car is plugged in for one of our Sessions. */
  charging: Session | undefined;
  refusesSessionAt = false;
  /** Of locations, when it is asked next where a station is. */
  refusesPlaces: Rejected | undefined;
  /** Partners' Locations that are refused once each, and with what. */
  readonly refusedOnce = new Map<string, string>();
  readonly partners = new Map<string, object>();
  /** When partners' CDRs were recorded first. */
  readonly recordedAt = new Map<string, string>();
  readonly results: { orderId: string; result: string; message: string }[] = [];
  /** What was asked of reservations. */
  readonly reservations: Record<string, unknown>[] = [];
  readonly orders: unknown[] = [];
  /** What they were asked, by its verb. */
  readonly asked: { readonly verb: string; readonly request: object }[] = [];
  answers: Answers = {};
  /** What goes on after Locations were listed, and before that is answered. */
  listed = async <Page>(pages: Page): Promise<Page> => pages;
  /** When partners' objects came. */
  private readonly takenAt = new Map<string, string>();
  private readonly positions = new Map<string, bigint>();
  private readonly logs = new Map<Context, { db: Database; log: Outbox; relay: Relay }>();

  private constructor(readonly bus: Bus, private readonly platform: TestPlatform) {}

  static async open(platform: TestPlatform): Promise<Neighbours> {
    const bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'neighbours' });
    const neighbours = new Neighbours(bus, platform);
    await Promise.all([neighbours.keepObjects(), neighbours.keepTokens(), neighbours.keepSessions(), neighbours.keepCdrs()]);
    return neighbours;
  }

  /** Answers, and notes what it is asked. */
  private get noting(): Pick<Bus, 'answer'> {
    return {
      answer: (contract, handler) => this.bus.answer(contract, (requests, ...more) => {
        this.asked.push(...requests.map((request) => ({ verb: contract.verb, request })));
        return handler(requests, ...more);
      }),
    };
  }

  async tell(...facts: readonly Fact[]): Promise<void> {
    for (const fact of facts) {
      const { db, log } = await this.log(fact.contract.context);
      await db.tx((tx) => log.tell(tx, [fact]));
    }
  }

  /** The position of the last fact of a key that was told by now. */
  async lastTold(context: Context, key: string): Promise<bigint> {
    const { db } = await this.log(context);
    const { rows } = await db.query<{ last: bigint }>('SELECT max(position) AS last FROM outbox WHERE key = $1', [key]);
    return rows[0]!.last;
  }

  async close(): Promise<void> {
    for (const { db, relay } of this.logs.values()) {
      await relay.close();
      await db.close();
    }
    await this.bus.close();
  }

  private async log(context: Context) {
    const known = this.logs.get(context);
    if (known) return known;
    const db = await openDatabase({ url: this.platform.databaseUrl, schema: context.replaceAll('-', '_'), migrations: busMigrations });
    const log = outbox(context, db);
    const made = { db, log, relay: startRelay(this.bus, log) };
    this.logs.set(context, made);
    return made;
  }

  /** As the owners of lists answer that can be gone on with behind a position: of each object its own, whatever becomes of it. */
  private pageBehind(objects: readonly (Token | Location)[], { offset, limit, after }: PageRequest) {
    const nameOf = (one: Token | Location) => `${one.party_id} ${'uid' in one ? `${one.type} ${one.uid}` : one.id}`;
    for (const one of objects) if (!this.positions.has(nameOf(one))) this.positions.set(nameOf(one), BigInt(this.positions.size + 1));
    const positionOf = (one: Token | Location) => this.positions.get(nameOf(one))!;
    const behind = objects.filter((one) => positionOf(one) > (after?.position ?? 0n)).toSorted((a, b) => Number(positionOf(a) - positionOf(b)));
    const rest = behind.slice(offset - (after?.offset ?? 0));
    const shown = rest.slice(0, limit);
    const last = shown.at(-1);
    return {
      objectsJson: shown.map(toJsonBytes), total: objects.length, more: rest.length > limit,
      ...(last ? { position: positionOf(last) } : {}),
    };
  }

  /** What is older than what is held is not taken, unless its owner was asked for it. LOC-34. */
  private put(
    what: string, key: string, body: object, { said = body, than, ...asked }: AskedFor & { said?: object; than?: object | undefined } = {},
  ): { change: Change } {
    this.taken.push({ what, body });
    const known = this.partners.get(key) as Dated | undefined;
    const takenAt = this.takenAt.get(key) ?? '';
    if (known && isOutdated((than ?? known) as Dated, takenAt, said as Dated, asked)) return { change: Change.STALE };
    const change = known === undefined ? Change.CREATED : JSON.stringify(known) === JSON.stringify(body) ? Change.UNCHANGED : Change.UPDATED;
    this.partners.set(key, body);
    if (change !== Change.UNCHANGED) this.takenAt.set(key, new Date().toISOString());
    return { change };
  }

  private held<T extends object>(key: string, refusal: string): T {
    const held = this.partners.get(key);
    if (!held) throw new Rejected(refusal, `${key} is not known`);
    return held as T;
  }

  private async keepObjects(): Promise<void> {
    const { noting: bus } = this;
    await bus.answer(putPartnerLocation, async (requests) => requests.map(({ party, locationId, evseUid, patch, bodyJson, replaces, askedAt }) => {
      const key = keyOf('location', party, locationId);
      const refusal = this.refusedOnce.get(locationId);
      if (refusal) {
        this.refusedOnce.delete(locationId);
        return new Rejected(refusal);
      }
      const body = fromJsonBytes<never>(bodyJson);
      if (!patch && evseUid === undefined) return this.put(`PUT ${key}`, key, body, { replaces, askedAt });
      const known = this.held<Location>(key, 'unknown-location');
      const than = evseUid === undefined ? undefined : findEvse(known, evseUid);
      const next = evseUid === undefined ? patchLocation(known, body) : patchEvse(known, evseUid, body);
      if (!next) return new Rejected('unknown-evse', `${key} has no EVSE ${evseUid}`);
      const answer = this.put(`PATCH ${key} ${evseUid ?? ''}`.trim(), key, next, { said: body, than });
      this.taken.splice(-1, 1, { what: `PATCH ${key} ${evseUid ?? ''}`.trim(), body });
      return answer;
    }));
    await bus.answer(getLocation, async (requests) => requests.map(({ party, locationId }) => {
      const own = this.own.locations.find(({ id }) => id === locationId);
      const held = own ?? this.partners.get(keyOf('location', party, locationId));
      return held ? { locationJson: toJsonBytes(held), own: own !== undefined, private: this.privates.has(locationId) } : { own: false };
    }));
    await bus.answer(listLocations, async (requests) => this.listed(requests.map(({ page, owner, withPrivate, granted, seenSince, namingSince }) => {
      const isListed = ({ id, party_id }: Location) => (withPrivate || !this.privates.has(id))
        && granted.every(({ owner: of, ids }) => of?.partyId !== party_id || ids.some((one) => isLike(one, id)));
      const shown = ofOwner(this.own.locations, owner).filter(isListed);
      if (page!.dateFrom === undefined) return this.pageBehind(shown, page!);
      const spanEnd = (id: string) => ({ ids, until }: { ids: string[]; until?: string | undefined }) =>
        (ids.some((one) => isLike(one, id)) ? 0 : until === undefined ? Infinity : instant(until));
      const seenAt = ({ id, evses, last_updated }: Location) => Math.max(
        instant(last_updated),
        ...seenSince.map(({ parties }) => Math.min(...parties.map(({ spans }) => Math.max(...spans.map(spanEnd(id)))))),
        namingSince && namingSince.tariffIds.some((one) => JSON.stringify(evses).toLowerCase().includes(`"${one.toLowerCase()}"`)) ? instant(namingSince.since) : 0,
      );
      return pageOf(shown.filter((one) => seenAt(one) >= instant(page!.dateFrom!)), { ...page!, dateFrom: undefined } as never);
    })));
    await bus.answer(resolveEvse, async (requests) => requests.map(({ locationId, evseUid }) => {
      const { refusesPlaces } = this;
      this.refusesPlaces = undefined;
      if (refusesPlaces) return refusesPlaces;
      const evse = this.own.locations.find(({ id }) => id === locationId)?.evses?.find(({ uid }) => uid === evseUid);
      if (!evse) return new Rejected('unknown-evse', `${locationId} has no EVSE ${evseUid}`);
      return {
        locationId, evseUid: evse.uid, connectorId: '1', stationId: `station of ${evse.uid}`, stationConnector: 1,
        locationJson: toJsonBytes({}), evseStatus: evse.status,
      };
    }));
    await bus.answer(listHeldLocations, async (requests) => requests.map(({ party, after }) => {
      const start = keyOf('location', party, '');
      const keys = [...this.partners.entries()].flatMap(([key, value]) =>
        (key.startsWith(start) && (value as Location).evses?.some(({ status }) => status !== 'REMOVED') ? [key.slice(start.length).toLowerCase()] : []));
      return { keys: keys.filter((key) => key > after).sort() };
    }));
    await bus.answer(dropHeldLocations, async (requests) => requests.map(({ party, keys: given, askedAt }) => {
      const keys = given.filter((id) => !cameSince(this.takenAt.get(keyOf('location', party, id)) ?? '', askedAt));
      for (const id of keys) {
        const key = keyOf('location', party, id);
        const held = this.partners.get(key) as Location;
        this.partners.set(key, { ...held, evses: held.evses!.map((evse) => ({ ...evse, status: 'REMOVED' })) });
      }
      if (keys.length > 0) this.taken.push({ what: `DROP locations ${keys.join(',')}`, body: undefined });
      return { keys };
    }));
    await bus.answer(putPartnerTariff, async (requests) => requests.map(({ party, tariffId, bodyJson, replaces }) => {
      const key = keyOf('tariff', party, tariffId);
      return this.put(`PUT ${key}`, key, fromJsonBytes(bodyJson), { replaces });
    }));
    await bus.answer(deletePartnerTariff, async (requests) => requests.map(({ party, tariffId }) => {
      const key = keyOf('tariff', party, tariffId);
      this.partners.delete(key);
      this.taken.push({ what: `DELETE ${key}`, body: undefined });
      return { change: Change.UPDATED };
    }));
    await bus.answer(getTariff, async (requests) => requests.map(({ party, tariffId }) => {
      const own = this.own.tariffs.find((one) => sameId(one.id, tariffId) && (!party || sameId(one.party_id, party.partyId)));
      const held = own ?? (party && this.partners.get(keyOf('tariff', party, tariffId)));
      return { version: 1, ...(held ? { tariffJson: toJsonBytes(held) } : {}) };
    }));
    await bus.answer(listTariffs, async (requests) => requests.map(({ page, offeredTo, owner }) => {
      const isFor = (id: string) => offeredTo.length === 0 || offeredTo.some(({ partyId }) => (this.onlyFor[id] ?? [partyId]).includes(partyId));
      return pageOf(ofOwner(this.own.tariffs, owner).filter(({ id }) => isFor(id)), page!);
    }));
  }

  private async keepTokens(): Promise<void> {
    const { noting: bus } = this;
    await bus.answer(putPartnerToken, async (requests) => requests.map(({ party, uid, type, patch, bodyJson, replaces, askedAt }) => {
      const key = keyOf('token', party, `${type} ${uid}`);
      const body = fromJsonBytes<never>(bodyJson);
      const next = patch ? patchToken(this.held<Token>(key, 'unknown-token'), body) : body;
      const answer = this.put(`${patch ? 'PATCH' : 'PUT'} ${key}`, key, next, { replaces, askedAt, said: body });
      this.taken.splice(-1, 1, { what: `${patch ? 'PATCH' : 'PUT'} ${key}`, body });
      return answer;
    }));
    await bus.answer(getToken, async (requests) => requests.map(({ party, uid, type }) => {
      const held = this.partners.get(keyOf('token', party, `${type} ${uid}`));
      return held ? { tokenJson: toJsonBytes(held) } : {};
    }));
    await bus.answer(findContractTokens, async (requests) => requests.map(({ contractId }) => ({
      tokensJson: this.own.tokens.filter((one) => one.contract_id === contractId).map(toJsonBytes),
    })));
    await bus.answer(listTokens, async (requests) => requests.map(({ page }) => this.pageBehind(this.own.tokens, page!)));
    await bus.answer(answerAuthorize, async (requests) => requests.map(({ uid, type }) => {
      const token = this.own.tokens.find((one) => one.uid === uid && one.type === type);
      if (!token) return new Rejected('unknown-token', `${type} token ${uid} is none of ours`);
      return { authorizationInfoJson: toJsonBytes({ allowed: token.valid ? 'ALLOWED' : 'BLOCKED', token, authorization_reference: 'A1' }) };
    }));
  }

  private async keepSessions(): Promise<void> {
    const { noting: bus } = this;
    await bus.answer(putPartnerSession, async (requests) => requests.map(({ party, sessionId, patch, bodyJson, replaces, askedAt }) => {
      const key = keyOf('session', party, sessionId);
      const body = fromJsonBytes<never>(bodyJson);
      const next = patch ? patchSession(this.held<Session>(key, 'unknown-session'), body) : body as Session;
      if ((this.partners.get(key) as Session | undefined)?.status === 'COMPLETED' && next.kwh !== (this.partners.get(key) as Session).kwh) return new Rejected('session-is-final', `${sessionId} is COMPLETED`);
      const answer = this.put(`${patch ? 'PATCH' : 'PUT'} ${key}`, key, next, { replaces, askedAt, said: body });
      this.taken.splice(-1, 1, { what: `${patch ? 'PATCH' : 'PUT'} ${key}`, body });
      return answer;
    }));
    await bus.answer(getSessionAt, async (requests) => requests.map(() => this.refusesSessionAt ? new Rejected('busy', 'not now') :
      ({ own: true, ...(this.charging === undefined ? {} : { sessionJson: toJsonBytes(this.charging) }) })));
    await bus.answer(getSession, async (requests) => requests.map(({ party, sessionId }) => {
      const held = this.partners.get(keyOf('session', party, sessionId));
      return { own: false, ...(held ? { sessionJson: toJsonBytes(held) } : {}) };
    }));
    await bus.answer(listSessions, async (requests) => requests.map(({ page, tokenParties, steering }) => {
      const parties = [...tokenParties, ...steering.map(({ tokenParty }) => tokenParty!)];
      return pageOf(this.own.sessions.filter(({ cdr_token }) => parties.some(({ partyId }) => partyId === cdr_token.party_id)), page!);
    }));
    await this.answerStarts();
    await bus.answer(stopSession, async (requests) => requests.map(({ sessionId }) => (
      { result: sessionId === 'S-1' ? 'ACCEPTED' : 'UNKNOWN_SESSION', timeoutS: 30, message: '', unknownLocation: false })));
    await bus.answer(reserveEvse, async (requests) => requests.map(({ orderId, reservationId, evseUid = 'any', expiresAt, tokenJson }) => {
      this.reservations.push({ orderId, reservationId, evseUid, expiresAt, uid: fromJsonBytes<Token>(tokenJson).uid });
      return { result: 'ACCEPTED', timeoutS: 30, message: '', unknownLocation: false };
    }));
    await bus.answer(cancelReservation, async (requests) => requests.map(({ reservationId, parties }) => {
      this.reservations.push({ reservationId, parties: parties.map(({ partyId }) => partyId) });
      return { result: 'ACCEPTED', timeoutS: 30, message: '', unknownLocation: false };
    }));
    await bus.answer(recordCommandResult, async (requests) => requests.map(({ orderId, result, message }) => {
      this.results.push({ orderId, result, message });
      return { order: { orderId, command: '', state: 'done', result, message, tokenUid: '', at: '' } };
    }));
  }

  /** Nobody is there to start charges any more once it is stopped; what is in hand is still done. */
  starts!: Answering;

  async answerStarts(): Promise<void> {
    this.starts = await this.noting.answer(startSession, async (requests) => Promise.all(requests.map(async ({ orderId, locationId, tokenJson, party }) => {
      this.orders.push(orderId);
      const { result, unknownLocation = false } = await this.answers.startSession!({
        orderId, locationId, token: fromJsonBytes(tokenJson), party: party?.partyId,
      });
      return { result, timeoutS: 30, message: '', unknownLocation };
    })));
  }

  private async keepCdrs(): Promise<void> {
    const { noting: bus } = this;
    await bus.answer(receiveCdr, async (requests) => requests.map(({ bodyJson }) => {
      const cdr = fromJsonBytes<Cdr>(bodyJson);
      const party = { countryCode: cdr.country_code, partyId: cdr.party_id };
      const key = keyOf('cdr', party, cdr.id);
      const known = this.partners.get(key);
      if (known && JSON.stringify(known) !== JSON.stringify(cdr)) return new Rejected('cdr-differs-from-recorded', cdr.id);
      const { change } = known ? { change: Change.UNCHANGED } : this.put(`POST ${key}`, key, cdr);
      if (!known) this.recordedAt.set(key, new Date(Date.now() - 60_000).toISOString());
      return { change, party, cdrId: cdr.id, recordedAt: this.recordedAt.get(key)! };
    }));
    await bus.answer(getCdr, async (requests) => requests.map(({ party, cdrId }) => {
      const held = this.partners.get(keyOf('cdr', party, cdrId));
      return held ? { cdrJson: toJsonBytes(held) } : {};
    }));
    await bus.answer(listCdrs, async (requests) => requests.map(({ page, tokenParties }) =>
      pageOf(this.own.cdrs.filter(({ cdr_token }) => tokenParties.some(({ partyId }) => partyId === cdr_token.party_id)), page!)));
  }
}

function keyOf(kind: string, party: Pick<Party, 'countryCode' | 'partyId'> | undefined, id: string): string {
  return `${kind} ${party?.countryCode}*${party?.partyId} ${id}`.toUpperCase();
}

function ofOwner<T extends { party_id: string }>(objects: readonly T[], owner: Pick<Party, 'partyId'> | undefined): T[] {
  return objects.filter(({ party_id }) => owner === undefined || party_id === owner.partyId);
}

function pageOf(objects: readonly { last_updated: string }[], { offset, limit, dateFrom }: PageRequest) {
  const matching = objects.filter(({ last_updated }) => dateFrom === undefined || instant(last_updated) >= instant(dateFrom));
  return { objectsJson: matching.slice(offset, offset + limit).map(toJsonBytes), total: matching.length };
}
