import { Refused, type Bus, Unanswered } from '#bus';
import { clearChargingProfile, getActiveProfile, type LimitProfile, setChargingProfile } from '#contracts/evems-controller';
import { type SteeringGrant, steeringGrantOf } from '#grants';
import { type Connector, findEvse, idKey, type Location, type Party, partyText, sameId, sameParty, type Session } from '#ocpi';
import type { Database } from '#postgres';
import { type Clock, rfc3339 } from '#time';
import type { Config } from './config.ts';
import type { Logs } from './logs.ts';
import { PHASES } from './register.ts';

export interface ProfilesParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly clock: Clock;
  readonly config: Config;
  readonly logs: Logs;
}

export interface ProfileWish {
  readonly orderId: string;
  readonly sessionId: string;
  /** Who asks; the session's token must be one of theirs, or the session be granted. */
  readonly parties: readonly Party[];
  readonly steering?: readonly SteeringGrant[];
  /** Only a session of this party of ours. */
  readonly party?: Party | undefined;
  readonly method: string;
  readonly profile?: LimitProfile | undefined;
}

/** OCPI ChargingProfileResponseType; `outcome` is the result where it is known at once. */
export interface ProfileReply {
  readonly result: 'ACCEPTED' | 'NOT_SUPPORTED' | 'REJECTED' | 'TOO_OFTEN' | 'UNKNOWN_SESSION';
  readonly timeoutS: number;
  readonly message: string;
  readonly outcome?: 'ACCEPTED' | 'REJECTED' | 'UNKNOWN';
  readonly active?: LimitProfile | undefined;
  /** Whose grant it was asked by; absent: by the owner of the token. */
  readonly by?: string;
  /** Of a GET: who set the profile that holds, by a grant. */
  readonly setBy?: string;
}

/** Charging profiles of our sessions: whose they are, and which charger that is. CHP-01, CHP-03. */
export class Profiles {
  constructor(private readonly parts: ProfilesParts) {}

  async request(wish: ProfileWish): Promise<ProfileReply> {
    const { state } = await this.parts.logs.sessions.load(idKey(wish.sessionId));
    if (!('session' in state) || (wish.party && !sameParty(state.session, wish.party)))
      return refused('UNKNOWN_SESSION', 'there is no such session');
    const { session } = state;
    const sender = senderOf(wish, session);
    if (!sender) return refused('REJECTED', "the session is charged by another party's token, and no agreement grants it");
    if (state.status !== 'active') return refused('REJECTED', 'the session does not charge');
    const { transaction } = state;
    const wattsPerAmp = wattsPerAmpOf(state.snapshots.location, session);
    if (wattsPerAmp === undefined)
      return refused('NOT_SUPPORTED', 'charging profiles are taken for AC connectors only');
    const { stationId, connectorId, transactionId } = transaction;
    const place = { stationId, connectorId, transactionId };
    try {
      const reply = await this.ask(wish, { sessionId: session.id, ...sender }, { ...place, wattsPerAmp });
      return { ...reply, ...(sender.by === undefined ? {} : { by: sender.by }) };
    } catch (error) {
      // It has to be done, however late.
      if (wish.method === 'WITHDRAW' && error instanceof Unanswered) throw error;
      return { ...failed(error, this.parts.config.profileTimeoutS), ...(sender.by === undefined ? {} : { by: sender.by }) };
    }
  }

  private async ask(
    { orderId, method, profile }: ProfileWish,
    { sessionId, by }: { readonly sessionId: string } & Sender,
    { wattsPerAmp, ...place }: Place,
  ): Promise<ProfileReply> {
    const { bus, config } = this.parts;
    const { profileTimeoutS: timeoutS } = config;
    const accepted = { result: 'ACCEPTED', timeoutS, message: '' } as const;
    if (method === 'GET') {
      const { profile: active, setBy } = await bus.ask(getActiveProfile, { ...place, wattsPerAmp });
      return { ...accepted, active, outcome: active ? 'ACCEPTED' : 'REJECTED', ...(setBy === undefined ? {} : { setBy }) };
    }
    const sentBy = by === undefined ? {} : { by };
    const clear = async () => {
      const { found } = await bus.ask(clearChargingProfile, { orderId, ...place, ...sentBy }, { commandId: orderId });
      return { ...accepted, outcome: found ? ('ACCEPTED' as const) : ('UNKNOWN' as const) };
    };
    if (method === 'WITHDRAW') return clear();
    // Nobody uses up the turns of another.
    if (!(await this.isInTime(by === undefined ? sessionId : `${sessionId} by ${by}`, orderId))) {
      const seconds = config.profileEveryMs / 1_000;
      return refused('TOO_OFTEN', `one change in ${seconds} s is taken for a session`);
    }
    if (method === 'DELETE') return clear();
    const order = { orderId, sessionId, profile: profile!, timeoutS, wattsPerAmp, ...place, ...sentBy };
    await bus.ask(setChargingProfile, order, { commandId: orderId });
    return accepted;
  }

  /** The same order again is in time; another one once the pause after the last is over. */
  private async isInTime(key: string, orderId: string): Promise<boolean> {
    const { db, clock, config } = this.parts;
    const now = clock.now();
    const { rowCount } = await db.query(
      `INSERT INTO profile_orders AS p (session_id, order_id, ordered_at) VALUES ($1, $2, $3)
       ON CONFLICT (session_id) DO UPDATE SET order_id = $2, ordered_at = $3
         WHERE p.order_id = $2 OR p.ordered_at <= $4`,
      [idKey(key), orderId, rfc3339(now), rfc3339(now - config.profileEveryMs)],
    );
    return rowCount === 1;
  }
}

interface Sender {
  /** Whose grant it is; undefined: the owner of the token. */
  readonly by: string | undefined;
}

/** CHP-03: the owner of the token, or by contract another. */
function senderOf({ method, parties, steering = [] }: ProfileWish, session: Session): Sender | undefined {
  if (method === 'WITHDRAW') return parties[0] && { by: partyText(parties[0]) };
  if (parties.some((party) => sameParty(party, session.cdr_token))) return { by: undefined };
  const grant = steeringGrantOf(session, steering);
  return grant && { by: partyText(grant.to) };
}

interface Place {
  readonly stationId: string;
  readonly connectorId: number;
  readonly transactionId: string;
  readonly wattsPerAmp: string;
}

/** What one ampere of each phase makes at the session's connector; undefined for direct current. */
function wattsPerAmpOf(location: Location, session: Session): string | undefined {
  const evse = findEvse(location, session.evse_uid);
  const connector = evse?.connectors.find(({ id }) => sameId(id, session.connector_id));
  return connector && wattsPerAmp(connector);
}

function wattsPerAmp(connector: Connector): string | undefined {
  const { power_type: type, max_voltage: volts, max_amperage: amps, max_electric_power: watts } = connector;
  if (type === 'DC') return undefined;
  // What the operator says of the whole is exact: 208 V may lie between two phases.
  const each = watts && amps > 0 ? watts / amps : volts * (PHASES[type] ?? 1);
  return String(Math.round(each * 1_000) / 1_000);
}

function refused(result: ProfileReply['result'], message: string): ProfileReply {
  return { result, timeoutS: 0, message };
}

/** No answer at all: it may have been taken, and a result may follow. */
function failed(error: unknown, timeoutS: number): ProfileReply {
  if (error instanceof Refused && error.code === 'unknown-charger')
    return refused('NOT_SUPPORTED', 'the load of this EVSE is not managed');
  if (error instanceof Refused && (error.code === 'unusable-profile' || error.code === 'set-by-another')) return refused('REJECTED', error.detail);
  if (!(error instanceof Unanswered)) throw error;
  if (error.reason === 'offline') return refused('REJECTED', 'charging profiles cannot be taken now; try again later');
  return { result: 'ACCEPTED', timeoutS, message: '' };
}
