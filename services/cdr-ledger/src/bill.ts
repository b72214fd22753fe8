import { decimal, sum } from '#money';
import {
  Cdr,
  cdrLocation,
  type CdrToken,
  type ChargingPeriod,
  type Connector,
  type Evse,
  findEvse,
  type Location,
  read,
  readAsIs,
  sameId,
  type Session,
  sessionOnlyDimensions,
  SignedData,
  type Tariff,
  type Token,
} from '#ocpi';
import { kwhOf, priceCdr } from './amounts.ts';
import { cdrIdOf, type Unbillable } from './cdr.ts';
import type { NotedOfMeter } from './finding.ts';
import type { PricingNote } from './pricing-note.ts';

/** A session that ended, with what held at its start. */
export interface EndedSession {
  readonly session: Session;
  readonly location: Location;
  readonly tariff: Tariff;
  readonly tariffVersion: number;
  readonly token: Token;
  /** Exact, decimal text. */
  readonly energyWh: string;
  /** What the meter signed, as its CDR carries it. */
  readonly signedData?: SignedData | undefined;
  /** Nobody charged on it. */
  readonly reservationOnly?: boolean | undefined;
  readonly meterFindings?: readonly NotedOfMeter[] | undefined;
}

/** The session's fact cannot be billed as it is: a bug of whoever told it. */
export class UnsoundSession extends Error {
  override readonly name = 'UnsoundSession';
}

/** A session that nobody is billed for: it did not end as a charge, or has no one to bill. */
export function whyUnbillable({
  session,
  tariff,
  token,
  reservationOnly = false,
}: Pick<EndedSession, 'session' | 'tariff' | 'token' | 'reservationOnly'>): Unbillable | undefined {
  if (session.status !== 'COMPLETED') return 'session-not-completed';
  if (!token.contract_id || !token.uid) return 'session-without-token';
  // PRC-14; and what we took away ourselves has no time that could be billed.
  const isPriced = tariff.elements.some(({ restrictions }) => restrictions?.reservation != null);
  if (reservationOnly && !(isPriced && session.charging_periods?.length)) return 'reservation-without-price';
  return undefined;
}

/**
 * The first CDR of a session: its periods without what only a Session may hold, the Location,
 * Tariff
 * and Token of its start, all totals. `at` is the time of issue. Throws UnsoundSession.
 */
export function billOf(
  ended: EndedSession,
  at: string,
): { readonly cdr: Cdr; readonly pricing: PricingNote } {
  const { session, tariff, tariffVersion, token, energyWh } = ended;
  if (session.end_date_time === undefined)
    throw new UnsoundSession(`session ${session.id} ended at no time`);
  const charge = {
    start_date_time: startOf(session),
    end_date_time: session.end_date_time,
    currency: tariff.currency,
    tariffs: [tariff],
    charging_periods: cdrPeriods(session, tariff, energyWh),
  };
  const { amounts, pricing } = priceCdr(charge, ended.location.time_zone);
  const cdr: Cdr = {
    country_code: session.country_code,
    party_id: session.party_id,
    id: cdrIdOf(session.id, 1),
    start_date_time: charge.start_date_time,
    end_date_time: charge.end_date_time,
    session_id: session.id,
    cdr_token: cdrTokenOf(token),
    auth_method: session.auth_method,
    ...(session.authorization_reference === undefined
      ? {}
      : { authorization_reference: session.authorization_reference }),
    cdr_location: placeOf(ended),
    ...(session.meter_id === undefined ? {} : { meter_id: session.meter_id }),
    currency: charge.currency,
    tariffs: charge.tariffs,
    charging_periods: charge.charging_periods,
    ...signedIn(ended),
    ...amounts,
    total_energy: kwhOf(energyWh),
    last_updated: at,
  };
  return { cdr: checked(cdr), pricing: { ...pricing, tariffVersion } };
}

/** Of its reservation, where it had one: that lies before the Session's own start. */
function startOf({ start_date_time, charging_periods }: Session): string {
  const [first] = charging_periods ?? [];
  const isReservation = first?.dimensions.some(({ type }) => type === 'RESERVATION_TIME');
  return isReservation ? first!.start_date_time : start_date_time;
}

/** CDR-20: one that OCPI does not carry is no reason not to bill. */
function signedIn({ signedData }: EndedSession): Pick<Cdr, 'signed_data'> {
  if (signedData === undefined || !read(SignedData, signedData).ok) return {};
  return { signed_data: signedData };
}

/** What we send is what OCPI says. */
export function checked(cdr: Cdr): Cdr {
  const reading = readAsIs(Cdr, cdr);
  if (!reading.ok) throw new UnsoundSession(`CDR ${cdr.id} would not be valid: ${reading.message}`);
  return cdr;
}

function cdrTokenOf({ country_code, party_id, uid, type, contract_id }: Token): CdrToken {
  return { country_code, party_id, uid, type, contract_id };
}

/**
 * An EVSE without an evse_id still has to be billed for: the CDR says that there is none (CDR-14,
 * D19).
 */
function placeOf({ session, location, reservationOnly }: EndedSession): Cdr['cdr_location'] {
  const evse: Evse | undefined = findEvse(location, session.evse_uid);
  const connector: Connector | undefined = evse?.connectors.find(({ id }) =>
    sameId(id, session.connector_id),
  );
  if (!evse || !connector) {
    const where = `EVSE ${session.evse_uid}, connector ${session.connector_id}`;
    throw new UnsoundSession(
      `session ${session.id} was at ${where}, which Location ${location.id} did not have at its start`,
    );
  }
  const place = cdrLocation(location, { ...evse, evse_id: evse.evse_id ?? '#NA' }, connector);
  // CDR-13: nobody was there.
  return reservationOnly
    ? { ...place, evse_uid: '#NA', evse_id: '#NA', connector_id: '#NA' }
    : place;
}

const SESSION_ONLY: ReadonlySet<string> = new Set(sessionOnlyDimensions);

/**
 * The session's periods as a CDR may hold them. One of which nothing is left keeps its place with
 * no
 * energy, since the period before it ends where it starts. A session without periods becomes one
 * with
 * its energy: what was not measured, time, is not billed (CDR-06 wants at least one).
 */
function cdrPeriods(session: Session, tariff: Tariff, energyWh: string): ChargingPeriod[] {
  const periods = (session.charging_periods ?? []).map((period): ChargingPeriod => {
    const dimensions = period.dimensions.filter(({ type }) => !SESSION_ONLY.has(type));
    return {
      ...period,
      dimensions: dimensions.length > 0 ? dimensions : [{ type: 'ENERGY', volume: 0 }],
    };
  });
  if (periods.length === 0) {
    const { start_date_time } = session;
    return [
      {
        start_date_time,
        tariff_id: tariff.id,
        dimensions: [{ type: 'ENERGY', volume: kwhOf(energyWh) }],
      },
    ];
  }
  const told = sum(periods.flatMap(energies));
  // Each period was rounded to a tenth of a Wh.
  const slack = decimal('0.0001').mul(decimal(periods.length));
  if (
    told
      .sub(decimal(energyWh).mul(decimal('0.001')))
      .abs()
      .compare(slack) > 0
  ) {
    throw new UnsoundSession(
      `the periods of session ${session.id} hold ${told} kWh, but it took ${energyWh} Wh`,
    );
  }
  return periods;
}

function energies({ dimensions }: ChargingPeriod) {
  return dimensions.filter(({ type }) => type === 'ENERGY').map(({ volume }) => decimal(volume));
}
