import type { Bus } from '#bus';
import { busParty } from '#contracts/party';
import { getTariff } from '#contracts/tariff-engine';
import { fromJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import {
  type ChargingPreferences, type ChargingPreferencesResponse, dateTimeOf, findEvse, idKey, instantMs, type Party, sameId,
  sameParty, type Tariff,
} from '#ocpi';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import type { Logs } from './logs.ts';
import type { Active } from './session-events.ts';
import { powerWMaxOf } from './register.ts';

export type PreferencesRefusal = 'unknown-session' | 'not-capable';

export interface PreferencesParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly clock: Clock;
  readonly logs: Logs;
}

export interface PreferencesWish {
  readonly sessionId: string;
  readonly parties: readonly Party[];
  readonly party?: Party | undefined;
  readonly preferences: ChargingPreferences;
}

const refuse = (code: PreferencesRefusal, detail: string) => new Rejected<PreferencesRefusal>(code, detail);

/**
 * What drivers wish of our sessions. It is kept and shown; the shares of a site and the tariff of the
 * session stay what they are. SES-20.
 */
export class Preferences {
  constructor(private readonly parts: PreferencesParts) {}

  async set({ sessionId, parties, party, preferences }: PreferencesWish): Promise<ChargingPreferencesResponse> {
    const { db, clock, logs } = this.parts;
    const { state } = await logs.sessions.load(idKey(sessionId));
    const isTheirs = 'session' in state && (!party || sameParty(state.session, party))
      && parties.some((one) => sameParty(one, state.session.cdr_token));
    if (!isTheirs) throw refuse('unknown-session', `session ${sessionId} is not known here`);
    if (state.status !== 'active') throw refuse('unknown-session', `session ${sessionId} is over`);
    const evse = findEvse(state.snapshots.location, state.session.evse_uid);
    if (!evse?.capabilities?.includes('CHARGING_PREFERENCES_CAPABLE')) {
      throw refuse(
        'not-capable',
        `EVSE ${state.session.evse_uid} does not have the capability CHARGING_PREFERENCES_CAPABLE (OCPI 2.2.1 mod_sessions)`,
      );
    }
    const types = await this.typesAt(state);
    const response = answerTo(preferences, {
      types,
      pricedBy: state.snapshots.tariff.type,
      kwh: state.session.kwh,
      powerWMax: powerWMaxOf(state.snapshots.location),
      now: clock.now(),
    });
    if (response !== 'ACCEPTED') return response;
    await db.query(
      `INSERT INTO preferences (session_id, preferences, accepted_at) VALUES ($1, $2, $3)
       ON CONFLICT (session_id) DO UPDATE SET preferences = $2, accepted_at = $3`,
      [idKey(sessionId), JSON.stringify(preferences), clock.iso()],
    );
    return response;
  }

  /** Accepted last. */
  async find(sessionId: string): Promise<{ text: string; at: string } | undefined> {
    const { rows } = await this.parts.db.query<{ preferences: string; accepted_at: string }>(
      'SELECT preferences, accepted_at FROM preferences WHERE session_id = $1', [idKey(sessionId)],
    );
    const [row] = rows;
    return row && { text: row.preferences, at: dateTimeOf(instantMs(row.accepted_at)!) };
  }

  /** A profile type is there where the connector has a tariff for it. */
  private async typesAt({ session, snapshots: { location } }: Active): Promise<string[]> {
    const connector = findEvse(location, session.evse_uid)?.connectors.find(({ id }) => sameId(id, session.connector_id));
    const found = await Promise.all((connector?.tariff_ids ?? []).map((tariffId) =>
      this.parts.bus.ask(getTariff, { party: busParty(location), tariffId })));
    const tariffs = found.flatMap(({ tariffJson }) => (tariffJson ? [fromJsonBytes<Tariff>(tariffJson)] : []));
    return tariffs.map(({ type }) => type ?? 'REGULAR');
  }
}

const TARIFF_TYPES: Readonly<Record<string, string>> = {
  CHEAP: 'PROFILE_CHEAP', FAST: 'PROFILE_FAST', GREEN: 'PROFILE_GREEN', REGULAR: 'REGULAR',
};

/** A session as preferences find it. */
export interface Charging {
  /** Of the tariffs of its Connector. */
  readonly types: readonly string[];
  /** Of the tariff that it is charged by; undefined is for all. */
  readonly pricedBy: string | undefined;
  readonly kwh: number;
  readonly powerWMax: number | undefined;
  readonly now: number;
}

/**
 * Pure. CHEAP and GREEN promise energy by a time, so both have to be said. What has a price of its own is not
 * promised to a session that keeps another: the driver would count on it.
 */
export function answerTo(
  { profile_type: type, departure_time: departure, energy_need: need }: ChargingPreferences,
  { types, pricedBy, kwh, powerWMax, now }: Charging,
): ChargingPreferencesResponse {
  const wanted = TARIFF_TYPES[type] ?? type;
  if (!types.includes(wanted)) return 'PROFILE_TYPE_NOT_SUPPORTED';
  const isPricedSo = pricedBy === undefined || pricedBy === wanted || (wanted === 'REGULAR' && !pricedBy.startsWith('PROFILE_'));
  if (!isPricedSo) return 'NOT_POSSIBLE';
  const mayWait = type === 'CHEAP' || type === 'GREEN';
  if (mayWait && departure === undefined) return 'DEPARTURE_REQUIRED';
  if (mayWait && need === undefined) return 'ENERGY_NEED_REQUIRED';
  if (departure === undefined) return 'ACCEPTED';
  const leftMs = instantMs(departure)! - now;
  if (leftMs <= 0) return 'NOT_POSSIBLE';
  const mostKwh = ((powerWMax ?? Infinity) * leftMs) / 3_600_000_000;
  // What was charged before may be part of it: a no has to be certain.
  return Number(need ?? 0) - kwh > mostKwh ? 'NOT_POSSIBLE' : 'ACCEPTED';
}
