import { z } from 'zod';
import { decimal, exactText } from '#money';
import type { Price, Session } from '#ocpi';
import type { ChargeRow } from './charge-rows.ts';
import { Money } from './fields.ts';

export const ChargeState = z.enum(['ordered', 'accepted', 'refused', 'charging', 'completed', 'failed', 'unknown']);
export type ChargeState = z.infer<typeof ChargeState>;

export const ChargeView = z.object({
  charge_id: z.string(),
  state: ChargeState,
  message: z.string(),
  session: z.object({
    country_code: z.string(),
    party_id: z.string(),
    session_id: z.string(),
    status: z.string(),
    location_id: z.string(),
    evse_uid: z.string(),
    kwh: z.string(),
    kw: z.string().optional(),
    started_at: z.string(),
    updated_at: z.string(),
    ended_at: z.string().optional(),
    cost: Money.optional(),
  }).optional(),
}).meta({ id: 'Charge' });
export type ChargeView = z.infer<typeof ChargeView>;

/** What sessions knows of an order. */
export interface Order {
  readonly state: string;
  readonly result: string;
  readonly message: string;
}

const stateOfSession: Readonly<Record<Session['status'], ChargeState>> = {
  ACTIVE: 'charging', COMPLETED: 'completed', INVALID: 'failed', PENDING: 'accepted', RESERVATION: 'accepted',
};

/** `done`: the station said yes, and the session is on its way. */
const stateOfOrder: Readonly<Record<string, ChargeState>> = {
  sent: 'ordered', accepted: 'accepted', done: 'accepted', refused: 'refused', failed: 'failed', unknown: 'unknown',
};

const messages: Readonly<Record<ChargeState, string>> = {
  ordered: 'The charge is ordered.',
  accepted: 'The operator accepted; plug in if you have not yet.',
  refused: 'The operator refused.',
  charging: 'Your car is charging.',
  completed: 'The charge is over.',
  failed: 'The charge did not start.',
  unknown: 'It is not known yet whether the operator took the order.',
};

const IDLE = 'Your car is plugged in and takes no power.';

const LIMIT_REACHED = ' The limit of your account is reached, so it was ordered to stop.';

export const isFinal = (state: ChargeState) => state === 'completed' || state === 'failed' || state === 'refused';

export interface Known {
  readonly order?: Order;
  readonly session?: Session;
  /** Of the session. */
  readonly priced?: CostShown;
  /** Why sessions did not take the order, when it did not. */
  readonly refusal?: string | null;
}

/** A charge as its driver sees it. A session says more than the order that led to it. */
export function chargeOf(chargeId: string, known: Known): ChargeView {
  const { order, session, refusal, priced } = known;
  const state = session ? stateOfSession[session.status]
    : order ? stateOfOrder[order.state] ?? 'unknown'
      : refusal ? 'failed' : 'unknown';
  const words = session ? '' : order ? wordsOf(order) : refusal ?? '';
  const said = words === '' ? '' : ` (${words})`;
  const shown = session && sessionOf(session, priced?.cost);
  const idle = state === 'charging' && shown?.kw === '0.0';
  return {
    charge_id: chargeId,
    state,
    message: `${idle ? IDLE : `${messages[state]}${said}`}${priced?.limitReached ? LIMIT_REACHED : ''}`,
    ...(shown ? { session: shown } : {}),
  };
}

/** ACCEPTED is what every order wants to hear. */
function wordsOf({ result, message }: Order): string {
  return [result, message].filter((word) => word !== '' && word !== 'ACCEPTED').join(': ');
}

/** The id of a charge that began with a card. */
export function sessionReference({ country_code, party_id, id }: Session): string {
  return `${country_code}*${party_id}*${id}`;
}

export type Money = z.infer<typeof Money>;

/** What a Session costs the driver, as far as it can be said now. */
export interface CostShown {
  readonly cost?: Money;
  /** It was ordered to stop because the driver's account is at its limit. */
  readonly limitReached: boolean;
}

/** Numbers as OCPI has them, or decimal text. */
interface Amounts {
  readonly excl_vat: number | string;
  readonly incl_vat?: number | string | undefined;
}

export function money(price: Price | Amounts, currency: string): Money {
  return {
    excl_vat: amount(price.excl_vat, currency),
    ...(price.incl_vat === undefined ? {} : { incl_vat: amount(price.incl_vat, currency) }),
    currency,
  };
}

function amount(value: number | string, currency: string): string {
  return exactText(decimal(value), currency);
}

function sessionOf(session: Session, cost: Money | undefined): NonNullable<ChargeView['session']> {
  const kw = session.status === 'ACTIVE' ? powerKw(session) : undefined;
  return {
    country_code: session.country_code,
    party_id: session.party_id,
    session_id: session.id,
    status: session.status,
    location_id: session.location_id,
    evse_uid: session.evse_uid,
    kwh: decimal(session.kwh).toString(),
    ...(kw === undefined ? {} : { kw }),
    started_at: session.start_date_time,
    updated_at: session.last_updated,
    ...(session.end_date_time === undefined ? {} : { ended_at: session.end_date_time }),
    ...(cost === undefined ? {} : { cost }),
  };
}

const HOUR_MS = 3_600_000;

/** Of the newest period: its POWER, else its energy over its time. One decimal. */
export function powerKw(session: Pick<Session, 'charging_periods' | 'last_updated'>): string | undefined {
  const period = session.charging_periods?.at(-1);
  if (!period) return undefined;
  const volume = (type: string) => period.dimensions.find((dimension) => dimension.type === type)?.volume;
  const power = volume('POWER');
  if (power !== undefined) return decimal(power).roundTo(1, 'half-away-from-zero').toFixed(1);
  const energyKwh = volume('ENERGY');
  const parked = volume('PARKING_TIME') !== undefined && volume('TIME') === undefined;
  const hours = volume('TIME') ?? (Date.parse(session.last_updated) - Date.parse(period.start_date_time)) / HOUR_MS;
  if (parked) return '0.0';
  if (energyKwh === undefined || !(hours > 0)) return undefined;
  return decimal((energyKwh / hours).toFixed(6)).roundTo(1, 'half-away-from-zero').toFixed(1);
}

/** Whether a repeated order wants what the first one wanted. */
export function sameOrder(a: ChargeRow, b: Omit<ChargeRow, 'refusal'>): boolean {
  return a.email === b.email && a.countryCode === b.countryCode && a.partyId === b.partyId
    && a.locationId === b.locationId && a.evseUid === b.evseUid && a.connectorId === b.connectorId;
}
