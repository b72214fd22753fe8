import { Controller, Inject } from '@nestjs/common';
import { Answers, each, withinOneAnswer } from '#bus';
import { Change, ocpiParty } from '#contracts/party';
import {
  type CancelReservation,
  cancelReservation,
  type CloseSession,
  closeSession,
  type GetOrder,
  getOrder,
  type GetPreferences,
  getPreferences,
  type ExplainSession,
  explainSession,
  type GetSessionAt,
  getSessionAt,
  type GetSession,
  getSession,
  type ListSessions,
  listSessions,
  type ListReservations,
  listReservations,
  type ListTokenSessions,
  listTokenSessions,
  type OrderCancelReservation,
  orderCancelReservation,
  type OrderReserve,
  orderReserve,
  type OrderStart,
  orderStart,
  type OrderStop,
  orderStop,
  type PutPartnerSession,
  putPartnerSession,
  type RecordCommandResult,
  recordCommandResult,
  type ReserveEvse,
  reserveEvse,
  type RequestProfile,
  requestProfile,
  type SetPreferences,
  setPreferences,
  type StartSession,
  type SteeringGrant as ToldGrant,
  startSession,
  type StopSession,
  stopSession,
  type WithdrawReservation,
  withdrawReservation,
} from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { pageAnswer } from '#contracts/page';
import type { SteeringGrant } from '#grants';
import type { ChargingPreferences, Token } from '#ocpi';
import { explanationJson } from '#pricing';
import { instant } from '#time';
import { Commands } from './commands.ts';
import type { Order } from './order.ts';
import { Orders } from './orders.ts';
import { type Change as Changed, PartnerSessions } from './partner-sessions.ts';
import { Reservations } from './reservations.ts';
import { Preferences } from './preferences.ts';
import { Profiles } from './profiles.ts';
import { Sessions } from './sessions.ts';
import { orderView, reservationView } from './tells.ts';

const changes: Readonly<Record<Changed, Change>> = {
  created: Change.CREATED,
  updated: Change.UPDATED,
  unchanged: Change.UNCHANGED,
  stale: Change.STALE,
};

const PAGE_LIMIT = 100;

@Controller()
export class AskController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Orders) private readonly orders: Orders,
    @Inject(Reservations) private readonly reservations: Reservations,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(PartnerSessions) private readonly partnerSessions: PartnerSessions,
    @Inject(Profiles) private readonly profiles: Profiles,
    @Inject(Preferences) private readonly preferences: Preferences,
  ) {}

  @Answers(startSession)
  start(requests: StartSession[]) {
    return each(requests, ({ tokenJson, authorizationReference: reference, party, ...wish }) =>
      this.commands.start(
        { ...wish, token: fromJsonBytes<Token>(tokenJson), reference, party: party && ocpiParty(party) },
        'partner',
      ),
    );
  }

  @Answers(stopSession)
  stop(requests: StopSession[]) {
    return each(requests, ({ orderId, sessionId, parties, party }) =>
      this.commands.stop(
        {
          orderId,
          sessionId,
          parties: parties.map(ocpiParty),
          party: party && ocpiParty(party),
        },
        'partner',
      ),
    );
  }

  @Answers(reserveEvse)
  reserve(requests: ReserveEvse[]) {
    return each(requests, ({ tokenJson, authorizationReference: reference, party, ...wish }) =>
      this.reservations.reserve(
        { ...wish, token: fromJsonBytes<Token>(tokenJson), reference, party: party && ocpiParty(party) },
        'partner',
      ),
    );
  }

  @Answers(cancelReservation)
  cancelReservation(requests: CancelReservation[]) {
    return each(requests, ({ orderId, reservationId, parties, party }) =>
      this.reservations.cancel(
        { orderId, reservationId, parties: parties.map(ocpiParty), party: party && ocpiParty(party) },
        'partner',
      ),
    );
  }

  @Answers(listReservations)
  listReservations(requests: ListReservations[]) {
    return each(requests, async ({ limit }) => {
      const found = await this.reservations.list(limit || PAGE_LIMIT);
      return { reservations: found.map(({ row, state }) => reservationView(row, state.held!)) };
    });
  }

  @Answers(withdrawReservation)
  withdrawReservation(requests: WithdrawReservation[]) {
    return each(requests, async ({ number, reason }) => ({
      withdrawn: await this.reservations.withdraw(number, reason),
    }));
  }

  @Answers(closeSession)
  close(requests: CloseSession[]) {
    return each(requests, async ({ party, sessionId, because }) => ({
      closed: await this.sessions.close(ocpiParty(party!), sessionId, because),
    }));
  }

  @Answers(orderReserve)
  orderReserve(requests: OrderReserve[]) {
    return each(requests, async ({ tokenJson, party, ...order }) =>
      stands(
        await this.orders.reserve({
          ...order,
          token: fromJsonBytes<Token>(tokenJson),
          party: ocpiParty(party!),
        }),
      ),
    );
  }

  @Answers(orderCancelReservation)
  orderCancelReservation(requests: OrderCancelReservation[]) {
    return each(requests, async (order) => stands(await this.orders.cancelReservation(order)));
  }

  @Answers(orderStart)
  orderStart(requests: OrderStart[]) {
    return each(requests, async ({ tokenJson, party, ...order }) =>
      stands(
        await this.orders.start({
          ...order,
          token: fromJsonBytes<Token>(tokenJson),
          party: ocpiParty(party!),
        }),
      ),
    );
  }

  @Answers(orderStop)
  orderStop(requests: OrderStop[]) {
    return each(requests, async ({ party, ...order }) =>
      stands(await this.orders.stop({ ...order, party: ocpiParty(party!) })),
    );
  }

  @Answers(getOrder)
  getOrder(requests: GetOrder[]) {
    return each(requests, async ({ orderId }) => stands(await this.orders.find(orderId)));
  }

  @Answers(recordCommandResult)
  recordResult(requests: RecordCommandResult[]) {
    return each(requests, async ({ orderId, result, message }) =>
      stands(await this.orders.recordResult(orderId, result, message)),
    );
  }

  @Answers(requestProfile)
  requestProfile(requests: RequestProfile[]) {
    return each(requests, async ({ parties, party, steering, ...wish }) => {
      const reply = await this.profiles.request({
        ...wish, parties: parties.map(ocpiParty), party: party && ocpiParty(party), steering: steering.map(steeringGrant),
      });
      const { active, ...answer } = reply;
      return { ...answer, ...(active ? { active } : {}) };
    });
  }

  @Answers(setPreferences)
  setPreferences(requests: SetPreferences[]) {
    return each(requests, async ({ sessionId, parties, party, preferencesJson }) => ({
      response: await this.preferences.set({
        sessionId, parties: parties.map(ocpiParty), party: party && ocpiParty(party),
        preferences: fromJsonBytes<ChargingPreferences>(preferencesJson),
      }),
    }));
  }

  @Answers(getPreferences)
  getPreferences(requests: GetPreferences[]) {
    return each(requests, async ({ sessionId }) => {
      const found = await this.preferences.find(sessionId);
      return found ? { preferencesJson: toJsonBytes(found.text), at: found.at } : { at: '' };
    });
  }

  @Answers(listSessions)
  list(requests: ListSessions[]) {
    return each(requests, async ({ tokenParties, anyToken, page, owner, steering, openOnly }) => {
      return pageAnswer(await this.sessions.list({
        parties: anyToken ? 'anybody' : tokenParties.map(ocpiParty), owner: owner && ocpiParty(owner),
        steering: steering.map(steeringGrant), openOnly,
      }, page!));
    });
  }

  @Answers(getSession)
  getSession(requests: GetSession[]) {
    return each(requests, async ({ party, sessionId }) => {
      const found = await this.sessions.find(ocpiParty(party!), sessionId);
      return found ? { sessionJson: toJsonBytes(found.text), own: found.own } : { own: false };
    });
  }

  @Answers(getSessionAt)
  getSessionAt(requests: GetSessionAt[]) {
    return each(requests, async (place) => {
      const found = await this.sessions.findAt(place);
      return { own: true, ...(found === undefined ? {} : { sessionJson: toJsonBytes(found) }) };
    });
  }

  @Answers(explainSession)
  explainSession(requests: ExplainSession[]) {
    return each(requests, async ({ party, sessionId }) => {
      const found = await this.sessions.explain(ocpiParty(party!), sessionId);
      return found
        ? { explanationJson: toJsonBytes(explanationJson(found.explanation)), explanationText: found.text }
        : { explanationText: '' };
    });
  }

  @Answers(listTokenSessions)
  listOfToken(requests: ListTokenSessions[]) {
    return each(requests, async ({ tokenParty, tokenUid, limit }) => {
      const texts = await this.sessions.ofToken(
        ocpiParty(tokenParty!),
        tokenUid,
        limit || PAGE_LIMIT,
      );
      return { sessionsJson: withinOneAnswer(texts.map(toJsonBytes), (json) => json) };
    });
  }

  @Answers(putPartnerSession)
  putPartnerSession(requests: PutPartnerSession[]) {
    return each(requests, async ({ party, sessionId, patch, bodyJson, replaces, askedAt }) => ({
      change:
        changes[
          await this.partnerSessions.put({
            party: ocpiParty(party!),
            sessionId,
            patch,
            body: bodyJson,
            replaces,
            askedAt,
          })
        ],
    }));
  }
}

function steeringGrant({ own, to, tokenParty, contractIds, locations, since }: ToldGrant): SteeringGrant {
  return {
    own: ocpiParty(own!), to: ocpiParty(to!), tokenParty: ocpiParty(tokenParty!), contractIds, locations, since: since === '' ? 0 : instant(since),
  };
}

function stands(order: Order) {
  return { order: orderView(order) };
}
