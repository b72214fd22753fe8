import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getLocation } from '#contracts/locations';
import { getTariff } from '#contracts/tariff-engine';
import { idKey, type Location, type Party, sameParty, type Session, type Tariff } from '#ocpi';
import type { Database, ObjectPage, PageRequest } from '#postgres';
import type { OwnParties } from '#settings';
import { type Place, sessionAt } from './connector-rows.ts';
import { type Explained, explained } from './explained.ts';
import type { Logs } from './logs.ts';
import { findPartnerSession } from './partner-session-rows.ts';
import { listOwnSessions, listTokenSessions, type SessionsOf } from './session-rows.ts';

export interface SessionsParts {
  readonly db: Database;
  readonly logs: Logs;
  readonly bus: Pick<Bus, 'ask'>;
  readonly parties: OwnParties;
}

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
    return state.status === 'active' || state.status === 'parked' ? JSON.stringify(state.session) : undefined;
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
    const owner = { countryCode: party.country_code, partyId: party.party_id };
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
