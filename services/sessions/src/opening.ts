import type { Bus } from '#bus';
import type { Authorization, TransactionStarted } from '#contracts/ocpp-gateway';
import { fromJsonBytes } from '#contracts';
import type { Session, Token } from '#ocpi';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import type { SessionCommand, WhyInvalid } from './session-events.ts';
import { type Place, placeOf, tariffFor } from './snapshots.ts';

export interface OpeningParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly log: Log;
}

/** Why nobody will be billed for a charge, where that is known without asking anybody. */
export function whyInvalid({ authorization }: TransactionStarted): WhyInvalid | undefined {
  if (authorization?.status !== 'Accepted') return 'card-not-accepted';
  return authorization.tokenJson ? undefined : 'no-token';
}

/** What a transaction's start asks of its session, with what holds at that moment. Throws Unanswered. */
export async function openingOf(
  parts: OpeningParts,
  fact: TransactionStarted,
  sessionId: string,
): Promise<SessionCommand> {
  const { stationId, transactionId, connectorId, meterStartWh, startedAt, authorization } = fact;
  const { bus, clock, log } = parts;
  const transaction = {
    stationId, transactionId, connectorId, meterStartWh, ...(fact.saidAt === undefined ? {} : { saidAt: fact.saidAt }),
    ...(fact.isMeterStartMissing ? { isMeterStartMissing: true as const } : {}),
  };
  const invalid = (why: WhyInvalid): SessionCommand => {
    log.warn('a charge that nobody will be billed for', {
      session: sessionId,
      station: stationId,
      why,
    });
    return { type: 'RecordInvalid', transaction, why, at: clock.iso() };
  };
  const why = whyInvalid(fact);
  if (why || !authorization?.tokenJson) return invalid(why ?? 'no-token');
  const place = await placeOf(bus, stationId, connectorId, startedAt);
  if (!place) return invalid('unknown-station');
  const token = fromJsonBytes<Token>(authorization.tokenJson);
  const chosen = await tariffFor(parts, place, token, startedAt);
  const { currency } = chosen.tariff;
  return {
    type: 'StartSession',
    transaction,
    snapshots: { location: place.location, token, ...chosen },
    session: newSession(parts, { sessionId, startedAt, place, token, authorization, currency }),
    ...(authorization.orderId === undefined ? {} : { orderId: authorization.orderId }),
  };
}

interface NewSession {
  readonly sessionId: string;
  readonly startedAt: string;
  readonly place: Place;
  readonly token: Token;
  readonly authorization: Authorization;
  readonly currency: string;
}

function newSession(
  { clock }: OpeningParts,
  { sessionId, startedAt, place, token, authorization, currency }: NewSession,
): Session {
  const { country_code, party_id } = place.location;
  return {
    country_code,
    party_id,
    id: sessionId,
    start_date_time: startedAt,
    kwh: 0,
    cdr_token: {
      country_code: token.country_code,
      party_id: token.party_id,
      uid: token.uid,
      type: token.type,
      contract_id: token.contract_id,
    },
    auth_method: authorization.authMethod as Session['auth_method'],
    ...(authorization.authorizationReference
      ? { authorization_reference: authorization.authorizationReference }
      : {}),
    location_id: place.locationId,
    evse_uid: place.evseUid,
    connector_id: place.connectorId,
    currency,
    charging_periods: [],
    status: 'ACTIVE',
    last_updated: clock.iso(),
  };
}
