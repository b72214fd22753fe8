import { type Fact, told } from '#bus';
import { busParty } from '#contracts/party';
import {
  commandFinished,
  orderChanged,
  sessionEnded,
  sessionStarted,
  sessionUpdated,
} from '#contracts/sessions';
import { toJsonBytes } from '#contracts';
import type { StoredEvent } from '#event-store';
import type { Party, Session } from '#ocpi';
import type { CommandEvent } from './command.ts';
import type { Order, OrderEvent } from './order.ts';
import { isTakenAway, type ReservationEvent, type ReservationTerms } from './reservation.ts';
import type { SessionEvent } from './session-events.ts';
import { idOf } from './streams.ts';

/** What our events tell the platform. Sessions without a token that may pay are nobody's business. */
export function tells(stored: StoredEvent): Fact | undefined {
  const event = { ...(JSON.parse(stored.data) as object), type: stored.type } as
    SessionEvent | CommandEvent | OrderEvent | ReservationEvent;
  switch (event.type) {
    case 'SessionReserved':
      return event.again
        ? told(sessionUpdated, whole(event.session))
        : told(sessionStarted, whole(event.session));
    case 'SessionStarted':
      return told(sessionStarted, whole(event.session));
    case 'SessionRefreshed':
    case 'CostTold':
    case 'ChargeEnded':
      return told(sessionUpdated, whole(event.session));
    case 'SessionEnded': {
      const {
        session,
        energyWh,
        findings,
        signedData,
        reservationOnly = false,
        snapshots: { location, tariff, tariffVersion, token },
      } = event;
      return told(sessionEnded, {
        ...whole(session),
        energyWh,
        meterFindings: findings.map(({ code, detail, figures }) => ({ code, detail, figures: { ...figures } })),
        ...(signedData === undefined ? {} : { signedDataJson: toJsonBytes(signedData) }),
        tariffVersion,
        reservationOnly,
        locationJson: toJsonBytes(location),
        tariffJson: toJsonBytes(tariff),
        tokenJson: toJsonBytes(token),
      });
    }
    case 'CommandFinished':
      return event.from === 'partner'
        ? told(commandFinished, {
            orderId: idOf(stored.stream),
            result: event.result,
            message: event.message,
          })
        : undefined;
    case 'ReservationEnded':
      return event.from === 'partner' && isTakenAway(event.why)
        ? told(commandFinished, {
            orderId: event.orderId,
            result: 'CANCELED_RESERVATION',
            message: event.message,
          })
        : undefined;
    case 'OrderPlaced':
    case 'OrderAnswered':
    case 'OrderUnsent':
    case 'OrderGivenUp':
    case 'OrderResulted':
    case 'SessionLinked':
    case 'StopFulfilled':
    case 'OrderExpired':
      return told(orderChanged, { order: orderView(event.order) });
    case 'MeterRead':
    case 'SignedRead':
    case 'StatusNoted':
    case 'HoldNoted':
    case 'FaultNoted':
    case 'ConnectionNoted':
    case 'InvalidSessionStarted':
    case 'InvalidSessionEnded':
    case 'CommandTaken':
    case 'ChargeNoted':
    case 'ReservationAsked':
    case 'ReservationMade':
    case 'AskedDropped':
    case 'ReservationUsed':
      return undefined;
  }
}

function whole(session: Session) {
  return {
    sessionId: session.id,
    tokenParty: busParty(session.cdr_token),
    sessionJson: toJsonBytes(session),
  };
}

/** An order as others see it. */
export function orderView({ party, sessionId, resultDueAt: _, tokenParty: __, ...order }: Order) {
  return {
    ...order,
    party: busParty(party),
    ...(sessionId === undefined ? {} : { sessionId }),
  };
}

/** A reservation as our operator sees it. */
export function reservationView(
  { number, sessionId }: { readonly number: number; readonly sessionId: string },
  { token, operator, reservationId, locationId, place, expiresAt }: ReservationTerms,
) {
  return {
    ...{ number, sessionId, reservationId, locationId, expiresAt },
    evseUid: place.evseUid,
    tokenParty: busParty(JSON.parse(token) as Party),
    party: busParty(operator),
  };
}
