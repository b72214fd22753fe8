import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import {
  type AnswerAuthorize, answerAuthorize, type Authorize, authorize, dropHeldTokens, type FindContractTokens,
  findContractTokens, listHeldTokens, type GetToken, getToken, type IssueToken, issueToken, type ListContestedUids,
  listContestedUids, type ListTokens, listTokens, type PutPartnerToken, putPartnerToken, type TokenPlace,
} from '#contracts/tokens-auth';
import { busParty, Change, type DropHeld, type ListHeld, ocpiParty } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { pageAnswer } from '#contracts/page';
import type { LocationReferences, Token } from '#ocpi';
import { Cards } from './cards.ts';
import type { Place } from './places.ts';
import { type Change as Changed, TokensAuth } from './tokens-auth.ts';

const CONTESTS_MAX = 1_000;

const changeOf: Readonly<Record<Changed, Change>> = {
  created: Change.CREATED, updated: Change.UPDATED, unchanged: Change.UNCHANGED, stale: Change.STALE,
};

const HELD_MAX = 5_000;

@Controller()
export class AskController {
  constructor(
    @Inject(TokensAuth) private readonly tokens: TokensAuth,
    @Inject(Cards) private readonly cards: Cards,
  ) {}

  @Answers(authorize)
  async authorize(requests: Authorize[]) {
    const decisions = await this.cards.authorize(requests.map(({ idTag, stationId, connectorId }) => ({
      idTag, stationId, ...(connectorId === undefined ? {} : { connectorId }),
    })));
    return decisions.map(({ status, authMethod, token, reference, why, refusal, byConnector = false }) => ({
      status, authMethod, why, byConnector,
      ...(refusal ? { refusal } : {}),
      ...(token ? { tokenJson: toJsonBytes(token) } : {}),
      ...(reference ? { authorizationReference: reference } : {}),
    }));
  }

  @Answers(issueToken)
  issueToken(requests: IssueToken[]) {
    return each(requests, async ({ tokenJson, allowedAt }) => ({
      change: changeOf[await this.tokens.issueToken(fromJsonBytes<Partial<Token>>(tokenJson), allowedAt.map(placeOf))],
    }));
  }

  @Answers(putPartnerToken)
  putPartnerToken(requests: PutPartnerToken[]) {
    return each(requests, async ({ party, uid, type, patch, bodyJson, replaces, askedAt }) => ({
      change: changeOf[await this.tokens.putPartnerToken({ ...party!, uid, type }, bodyJson, { patch, replaces, askedAt })],
    }));
  }

  @Answers(listHeldTokens)
  listHeld(requests: ListHeld[]) {
    return each(requests, async ({ party, after, limit }) => ({ keys: await this.tokens.held(party!, after, Math.min(limit, HELD_MAX)) }));
  }

  @Answers(dropHeldTokens)
  dropHeld(requests: DropHeld[]) {
    return each(requests, async ({ party, keys, askedAt }) => {
      const dropped: string[] = [];
      for (const key of keys) {
        const [type = '', ...uid] = key.split(' ');
        if (await this.tokens.drop({ ...party!, type: type.toUpperCase(), uid: uid.join(' ') }, askedAt)) dropped.push(key);
      }
      return { keys: dropped };
    });
  }

  @Answers(getToken)
  getToken(requests: GetToken[]) {
    return each(requests, async ({ party, uid, type }) => {
      const found = await this.tokens.find({ ...party!, uid, type });
      return found === undefined ? {} : { tokenJson: toJsonBytes(found.text), noCredit: found.noCredit };
    });
  }

  @Answers(findContractTokens)
  findContractTokens(requests: FindContractTokens[]) {
    return each(requests, async ({ party, contractId }) => ({
      tokensJson: (await this.tokens.ofContract(party!, contractId)).map(toJsonBytes),
    }));
  }

  @Answers(listTokens)
  listTokens(requests: ListTokens[]) {
    return each(requests, async ({ page, owner }) => pageAnswer(await this.tokens.list(page!, owner && ocpiParty(owner))));
  }

  @Answers(answerAuthorize)
  answerAuthorize(requests: AnswerAuthorize[]) {
    return each(requests, async ({ uid, type, party, locationReferencesJson, asker }) => ({
      authorizationInfoJson: toJsonBytes(await this.tokens.answerAuthorize(
        { uid, type, party: party && ocpiParty(party) },
        locationReferencesJson && {
          party: asker && ocpiParty(asker), references: fromJsonBytes<LocationReferences>(locationReferencesJson),
        },
      )),
    }));
  }

  @Answers(listContestedUids)
  contested(requests: ListContestedUids[]) {
    return each(requests, async ({ limit }) => {
      const { contests, total } = await this.cards.contests(Math.min(limit || CONTESTS_MAX, CONTESTS_MAX));
      return {
        total,
        uids: contests.map(({ tag, since, refused, lastRefusedAt, lastStationId, parties, countsAs }) => ({
          uid: tag.toUpperCase(), since, refused, parties: parties.map(busParty),
          ...(lastRefusedAt ? { lastRefusedAt } : {}), ...(lastStationId ? { lastStationId } : {}),
          ...(countsAs ? { countsAs: busParty(countsAs) } : {}),
        })),
      };
    });
  }
}

function placeOf({ party, locationId, evseUids }: TokenPlace): Place {
  return { party: ocpiParty(party!), locationId, evseUids };
}
