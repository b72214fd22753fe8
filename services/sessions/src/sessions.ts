import { type Bus, Refused } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getLocation } from '#contracts/locations';
import { closeTransaction, Outcome, stopCharging } from '#contracts/ocpp-gateway';
import { busParty } from '#contracts/party';
import { getTariff } from '#contracts/tariff-engine';
import { Rejected } from '#decider';
import { idKey, type Location, type Party, sameParty, type Session, type Tariff } from '#ocpi';
import type { Database, ObjectPage, PageRequest } from '#postgres';
import type { OwnParties } from '#settings';
import { ANSWER_TRAVELS_MS } from './config.ts';
import { type Place, sessionAt } from './connector-rows.ts';
import { type Explained, explained } from './explained.ts';
import type { Logs } from './logs.ts';
import { findOpening } from './openings.ts';
import { findPartnerSession } from './partner-session-rows.ts';
import { listOwnSessions, listTokenSessions, type SessionsOf } from './session-rows.ts';

export interface SessionsParts {
  readonly db: Database;
  readonly logs: Logs;
  readonly bus: Pick<Bus, 'ask'>;
  readonly parties: OwnParties;
}

export type SessionRefusal = 'unknown-session' | 'session-not-charging' | 'session-not-open-yet' | 'station-connected';

/** S16-36: with one of these a stop was lost. */
const NOBODY_CHARGES = new Set(['Available', 'Preparing', 'Reserved']);
/** Real time; our operator waits. */
const STATION_ANSWERS_WITHIN_MS = 10_000;

/** Sessions as they stand, ours and partners'. */
export class Sessions {
  constructor(private readonly parts: SessionsParts) {}

  /** The OCPI Session's JSON. */
  async find(party: Party, sessionId: string): Promise<{ text: string; own: boolean } | undefined> {
    const { db, logs, parties } = this.parts;
    if (!parties.has(party)) {
      const held = await findPartnerSession(db, party, sessionId);
      return held && { text: held.text, own: false };
    }
    const { state } = await logs.sessions.load(idKey(sessionId));
    if (!('session' in state) || !sameParty(state.session, party)) return undefined;
    return { text: JSON.stringify(state.session), own: true };
  }

  /** For which a car is plugged in there. */
  async findAt(at: Place): Promise<string | undefined> {
    const { db, logs } = this.parts;
    const sessionId = await sessionAt(db, at);
    if (sessionId === undefined) return undefined;
    const { state } = await logs.sessions.load(sessionId);
    if (state.status === 'absent' && (await findOpening(db, sessionId)))
      throw new Rejected<SessionRefusal>('session-not-open-yet', 'a charge has begun there whose Session is still to be opened');
    return state.status === 'active' || state.status === 'parked' ? JSON.stringify(state.session) : undefined;
  }

  /**
   * S16-57: by our operator, of a charge of which its station will never say that it stopped. It ends where its transaction
   * does, at ocpp-gateway, which alone knows whether the station is connected. One that is, and at whose connector nobody
   * charges by its own word, is asked to stop it: its no is that it does not know it (S16-68). False where it was over before.
   */
  async close(party: Party, sessionId: string, because: string): Promise<boolean> {
    const { bus, logs, parties } = this.parts;
    const { state } = await logs.sessions.load(idKey(sessionId));
    if (!parties.has(party) || !('session' in state) || !sameParty(state.session, party))
      throw new Rejected<SessionRefusal>('unknown-session', `session_id: there is no session ${sessionId} of ours`);
    if (state.status === 'ended') return false;
    if (state.status !== 'active')
      throw new Rejected<SessionRefusal>('session-not-charging', `it ends by itself: it is a ${state.status === 'reserved' ? 'reservation' : 'car that parks'}`);
    const { stationId, transactionId } = state.transaction;
    const wish = { stationId, transactionId, because };
    try {
      return (await bus.ask(closeTransaction, wish)).closed;
    } catch (error) {
      const isThere = error instanceof Refused && error.code === 'station-connected';
      if (!isThere || !NOBODY_CHARGES.has(state.condition.status)) throw error;
    }
    const timeoutMs = STATION_ANSWERS_WITHIN_MS;
    const { outcome, detail } = await bus.ask(stopCharging, { stationId, transactionId, timeoutMs }, { timeoutMs: timeoutMs + ANSWER_TRAVELS_MS });
    // REJECTED is also what was never sent, and what failed there.
    if (outcome !== Outcome.REJECTED || detail !== 'Rejected') {
      const said = outcome === Outcome.ACCEPTED ? 'stops it, and says so' : 'did not say whether it knows it: try again';
      throw new Rejected<SessionRefusal>('station-connected', `the charging station is connected and ${said}`);
    }
    return (await bus.ask(closeTransaction, { ...wish, isUnknownThere: true })).closed;
  }

  /** In the tariff that it is charged by; of a partner's, in those that its periods name, as they were when it began. */
  async explain(party: Party, sessionId: string): Promise<Explained | undefined> {
    const { logs, parties } = this.parts;
    if (!parties.has(party)) return this.explainPartners(party, sessionId);
    const { state } = await logs.sessions.load(idKey(sessionId));
    if (!('session' in state) || !sameParty(state.session, party)) return undefined;
    const { tariff, location } = state.snapshots;
    return explained(state.session, [tariff], location.time_zone);
  }

  private async explainPartners(party: Party, sessionId: string): Promise<Explained | undefined> {
    const { db, bus } = this.parts;
    const held = await findPartnerSession(db, party, sessionId);
    if (!held) return undefined;
    const session = JSON.parse(held.text) as Session;
    const named = new Set((session.charging_periods ?? []).flatMap(({ tariff_id }) => tariff_id ?? []));
    const owner = busParty(party);
    const [{ locationJson }, ...found] = await Promise.all([
      bus.ask(getLocation, { party: owner, locationId: session.location_id }),
      ...[...named].map((tariffId) => bus.ask(getTariff, { party: owner, tariffId, asOf: session.start_date_time })),
    ]);
    const tariffs = found.flatMap(({ tariffJson }) => (tariffJson ? [fromJsonBytes<Tariff>(tariffJson)] : []));
    return explained(session, tariffs, locationJson && fromJsonBytes<Location>(locationJson).time_zone);
  }

  list(of: SessionsOf, page: PageRequest): Promise<ObjectPage> {
    return listOwnSessions(this.parts.db, of, page);
  }

  ofToken(party: Party, tokenUid: string, limit: number): Promise<string[]> {
    return listTokenSessions(this.parts.db, party, tokenUid, limit);
  }
}
