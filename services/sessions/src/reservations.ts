import { type Bus, saysNo } from '#bus';
import { getLocation, resolveEvse } from '#contracts/locations';
import { busParty } from '#contracts/party';
import { fromJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import { findEvse, type Location, type Party, sameParty, type Token } from '#ocpi';
import type { Database } from '#postgres';
import { type Clock, instant } from '#time';
import { type Commands, refused, type Taken } from './commands.ts';
import type { Config } from './config.ts';
import type { EndReservations } from './end-reservations.ts';
import type { Logs } from './logs.ts';
import { isInForce, isOver, type ReservationState, type ReservedPlace } from './reservation.ts';
import {
  findReservation,
  listReservationRows,
  lockKey,
  newestOfKey,
  newReservation,
  type ReservationRow,
  reservationsWithId,
} from './reservation-rows.ts';
import { sessionIdOf } from './session-id.ts';

export type ReservationRefusal = 'unknown-reservation';

export interface ReservationsParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly config: Config;
  readonly db: Database;
  readonly logs: Logs;
  readonly platform: string;
  readonly commands: Commands;
  readonly ends: EndReservations;
}

export interface ReserveWish {
  readonly orderId: string;
  readonly token: Token;
  readonly reservationId: string;
  readonly locationId: string;
  readonly evseUid?: string | undefined;
  readonly expiresAt: string;
  readonly reference?: string | undefined;
  /** Only where this party of ours operates. */
  readonly party?: Party | undefined;
}

export interface CancelWish {
  readonly orderId: string;
  readonly reservationId: string;
  /** On whose behalf; the token must be one of theirs. */
  readonly parties: readonly Party[];
  /** Only at this party of ours. */
  readonly party?: Party | undefined;
}

/** Of those that may do, so many stations are asked. */
const PLACES_MAX = 10;
const REPLACED_MAX = 50;

/** EVSEs of ours that are kept free: partners' and our own drivers' orders, and the operator's word. */
export class Reservations {
  constructor(private readonly parts: ReservationsParts) {}

  /** CMD-09. */
  async reserve(wish: ReserveWish, from: 'partner' | 'own'): Promise<Taken> {
    const { clock, commands, config } = this.parts;
    const { orderId, token, expiresAt, reference, reservationId } = wish;
    const known = await commands.known(orderId);
    if (known) return known;
    if (instant(expiresAt) <= clock.now()) return refused('REJECTED', `${expiresAt} is over`);
    const found = await this.places(wish);
    if ('result' in found) return found;
    const { location, places } = found;
    const { country_code, party_id } = location;
    const row = await this.rowFor({ party: token, locationId: location.id, reservationId });
    if (!row) return refused('REJECTED', 'it was replaced too often: cancel it first');
    return commands.take(orderId, from, config.startTimeoutS, {
      kind: 'reserve',
      ...row,
      token: JSON.stringify(token),
      expiresAt,
      reservationId,
      locationId: location.id,
      operator: { country_code, party_id },
      places,
      ...(reference === undefined ? {} : { reference }),
    });
  }

  /** CMD-11. Which is unknown shows in the result: the answer at once has no word for it. */
  async cancel(wish: CancelWish, from: 'partner' | 'own'): Promise<Taken> {
    const { commands, config, db, logs } = this.parts;
    const { orderId, reservationId, parties, party } = wish;
    const known = await commands.known(orderId);
    if (known) return known;
    let number = 0;
    for (const row of await reservationsWithId(db, parties, reservationId)) {
      const { state } = await logs.reservations.load(String(row.number));
      const operator = (state.held ?? state.asked)?.operator;
      if (!operator || isOver(state) || (party && !sameParty(party, operator))) continue;
      number = row.number;
      break;
    }
    return commands.take(orderId, from, config.stopTimeoutS, { kind: 'cancel-reservation', number });
  }

  /** CMD-10. False where it was over before. */
  async withdraw(number: number, reason: string): Promise<boolean> {
    const { clock, db, ends } = this.parts;
    if (!(await findReservation(db, number))) {
      const detail = `number: there is no reservation ${number}`;
      throw new Rejected<ReservationRefusal>('unknown-reservation', detail);
    }
    const message = reason || 'the operator needs the EVSE';
    const end = { why: 'withdrawn', message, endedAt: clock.iso() } as const;
    return ends.end(number, `withdraw ${number}`, end);
  }

  /** Those in force, the newest first. */
  async list(limit: number): Promise<{ row: ReservationRow; state: ReservationState }[]> {
    const { db, logs } = this.parts;
    const rows = await listReservationRows(db, limit);
    const all = await Promise.all(
      rows.map(async (row) => ({ row, ...(await logs.reservations.load(String(row.number))) })),
    );
    return all.filter(({ state }) => isInForce(state));
  }

  /** The one that the wish replaces, or a new one; undefined where it was replaced too often. */
  private async rowFor(key: {
    party: Party;
    locationId: string;
    reservationId: string;
  }): Promise<ReservationRow | undefined> {
    const { clock, db, logs, platform } = this.parts;
    return db.tx(async (tx) => {
      await lockKey(tx, key);
      const newest = await newestOfKey(tx, key);
      const state = newest && (await logs.reservations.load(String(newest.number))).state;
      if (newest && state && (isInForce(state) || state.asks.length === 0))
        return state.asks.length < REPLACED_MAX ? pick(newest) : undefined;
      const startedAt = clock.iso();
      const transactionId = [key.party.country_code, key.party.party_id, key.locationId, key.reservationId].join(' ');
      const sessionId = sessionIdOf({ platform, stationId: 'reservation', transactionId, startedAt });
      return pick(await newReservation(tx, key, sessionId));
    }, { asksBeside: true });
  }

  /** Where it may be, the best first. */
  private async places(
    wish: ReserveWish,
  ): Promise<{ location: Location; places: ReservedPlace[] } | Taken> {
    try {
      const location = await this.locationOf(wish);
      if (!location) return unknownLocation(`${wish.locationId} is none of our Locations`);
      const { evseUid } = wish;
      const evses = (location.evses ?? []).filter(({ status }) => status === 'AVAILABLE');
      const uids = evseUid === undefined ? evses.map(({ uid }) => uid).slice(0, PLACES_MAX) : [evseUid];
      const places: ReservedPlace[] = [];
      for (const uid of uids) places.push(await this.place(location, uid));
      return { location, places };
    } catch (error) {
      if (!saysNo(error)) throw error;
      return error.code.startsWith('unknown-')
        ? unknownLocation(error.detail)
        : refused('REJECTED', error.detail);
    }
  }

  private async locationOf({ locationId, party }: ReserveWish): Promise<Location | undefined> {
    const { locationJson, own } = await this.parts.bus.ask(getLocation, {
      locationId,
      ...(party ? { party: busParty(party) } : {}),
    });
    return locationJson && own ? fromJsonBytes<Location>(locationJson) : undefined;
  }

  private async place(location: Location, evseUid: string): Promise<ReservedPlace> {
    // OCPP 1.6 reserves a connector; an EVSE's first stands for it.
    const connectorId = findEvse(location, evseUid)?.connectors[0]?.id;
    const resolved = await this.parts.bus.ask(resolveEvse, {
      locationId: location.id,
      evseUid,
      ...(connectorId === undefined ? {} : { connectorId }),
    });
    const { stationId, stationConnector, stationConnectors: evseConnectors } = resolved;
    const place = { stationId, stationConnector, evseUid: resolved.evseUid, connectorId: resolved.connectorId };
    return evseConnectors.length > 1 ? { ...place, evseConnectors } : place;
  }
}

const pick = ({ number, sessionId }: ReservationRow): ReservationRow => ({ number, sessionId });

function unknownLocation(message: string): Taken {
  return { ...refused('REJECTED', message), unknownLocation: true };
}
