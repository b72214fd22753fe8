import { Controller, Inject } from '@nestjs/common';
import { Answers, each, withinOneAnswer } from '#bus';
import { Change, type Party as ToldParty } from '#contracts/party';
import {
  type GetOrder,
  getOrder,
  type GetSession,
  getSession,
  type ListSessions,
  listSessions,
  type ListTokenSessions,
  listTokenSessions,
  type OrderStart,
  orderStart,
  type OrderStop,
  orderStop,
  type PutPartnerSession,
  putPartnerSession,
  type RecordCommandResult,
  recordCommandResult,
  type StartSession,
  startSession,
  type StopSession,
  stopSession,
} from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { pageAnswer } from '#contracts/page';
import type { Party, Token } from '#ocpi';
import { Commands } from './commands.ts';
import type { Order } from './order.ts';
import { Orders } from './orders.ts';
import { type Change as Changed, PartnerSessions } from './partner-sessions.ts';
import { Sessions } from './sessions.ts';
import { orderView } from './tells.ts';

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
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(PartnerSessions) private readonly partnerSessions: PartnerSessions,
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

  @Answers(listSessions)
  list(requests: ListSessions[]) {
    return each(requests, async ({ tokenParties, page, owner }) => {
      return pageAnswer(await this.sessions.list(tokenParties.map(ocpiParty), page!, owner && ocpiParty(owner)));
    });
  }

  @Answers(getSession)
  getSession(requests: GetSession[]) {
    return each(requests, async ({ party, sessionId }) => {
      const found = await this.sessions.find(ocpiParty(party!), sessionId);
      return found ? { sessionJson: toJsonBytes(found.text), own: found.own } : { own: false };
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
    return each(requests, async ({ party, sessionId, patch, bodyJson }) => ({
      change:
        changes[
          await this.partnerSessions.put({
            party: ocpiParty(party!),
            sessionId,
            patch,
            body: bodyJson,
          })
        ],
    }));
  }
}

function ocpiParty({ countryCode, partyId }: ToldParty): Party {
  return { country_code: countryCode, party_id: partyId };
}

function stands(order: Order) {
  return { order: orderView(order) };
}
