import { type Bus, type Outbox, Refused, told, Unanswered } from '#bus';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { AgreementChanged } from '#contracts/agreements';
import { resolveStation } from '#contracts/locations';
import { authorizeAtPartner, SendOutcome } from '#contracts/ocpi-gateway';
import type { Party as BusParty } from '#contracts/party';
import { tokenAuthorized } from '#contracts/tokens-auth';
import type { GrantRows } from '#grants';
import { type AuthorizationInfo, idKey, isNamed, type Location, type LocationReferences, type Party, partyText, type Token } from '#ocpi';
import type { Database, Tx } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import {
  contendersOf, type Decision, firstStep, type Held, keptOut, type OwnersAnswer, type Priorities, secondStep, winnerOf, withCredit, withPlace,
} from './authorization.ts';
import { type Contest, listContests, noteRefused } from './contest-rows.ts';
import { withoutCredit } from './credit-rows.ts';
import { allowedOf } from './places.ts';
import { tokensOfCards } from './token-rows.ts';

/** A station's own message time-out may be 30 s or less (J-46); the owner gets 5 s of it. */
const OWNER_ANSWERS_WITHIN_MS = 5_000;
/** Where the card was shown is worth no waiting: the owner can be asked without. */
const PLACE_WITHIN_MS = 500;
const NOBODY_FIRST: Priorities = new Map();

export interface CardsParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly grants: GrantRows;
  readonly log: Log;
}

export interface Card {
  readonly idTag: string;
  readonly stationId: string;
  readonly connectorId?: number;
}

interface ShownAt {
  readonly party: BusParty;
  readonly references: LocationReferences;
  /** No partner is told of it (LOC-07), and of partners' cards it is open to those that it names (LOC-06). */
  readonly private?: Pick<Location, 'publish_allowed_to'> | undefined;
}

export interface ContestView extends Contest {
  readonly parties: readonly Party[];
  readonly countsAs: Party | undefined;
}

/** Cards at stations: whose they are, and whether they may charge. */
export class Cards {
  constructor(private readonly parts: CardsParts) {}

  /** May these cards charge, each at its station? Every decision is told. */
  async authorize(cards: readonly Card[]): Promise<Decision[]> {
    const { db, outbox, clock, log } = this.parts;
    const heldOf = await tokensOfCards(db, cards.map(({ idTag }) => idTag));
    const held = cards.map(({ idTag }) => heldOf(idTag));
    const [broke, priorities] = await Promise.all([this.broke(held.flat()), this.prioritiesFor(held)]);
    const decisions = await Promise.all(cards.map((card, index) => this.decide(card, { held: held[index]!, broke, priorities })));
    const at = rfc3339(clock.now());
    await db.tx(async (tx) => {
      for (const [index, card] of cards.entries()) {
        const { status, refusal, why } = decisions[index]!;
        if (refusal === undefined) continue;
        const said = { station: card.stationId, status, refusal, why };
        if (refusal !== 'uid-of-several-parties') log.info('a card may not charge', said);
        else {
          log.warn('a card that several parties issued was refused', said);
          await noteRefused(tx, card.idTag, card.stationId, at);
        }
      }
      await outbox.tell(tx, cards.map(({ idTag, stationId }, index) => {
        const { status, authMethod, reference, refusal, token } = decisions[index]!;
        return told(tokenAuthorized, {
          idTag: token?.uid ?? idTag, stationId, status, authMethod, at,
          ...(reference ? { authorizationReference: reference } : {}),
          ...(refusal ? { refusal } : {}),
        });
      }));
    });
    return decisions;
  }

  noteGrants(tx: Tx, fact: AgreementChanged): Promise<void> {
    return this.parts.grants.note(tx, fact);
  }

  /** Uids that several parties issued, but for those that all but one have withdrawn. */
  async contests(limit: number): Promise<{ contests: ContestView[]; total: number }> {
    const { db, grants, clock } = this.parts;
    const { contests, total } = await listContests(db, limit);
    const heldOf = await tokensOfCards(db, contests.map(({ tag }) => tag));
    const priorities = contests.length > 0 ? await grants.tokenPriorities(db, clock.now()) : NOBODY_FIRST;
    const views = contests.map((contest) => {
      const parties = contendersOf(heldOf(contest.tag));
      return { ...contest, parties, countsAs: winnerOf(parties, priorities) };
    });
    return { contests: views.filter(({ parties }) => parties.length > 1), total };
  }

  private async decide(
    card: Card, { held, broke, priorities }: { held: readonly Held[]; broke: ReadonlySet<string>; priorities: Priorities },
  ): Promise<Decision> {
    const step = firstStep(held, priorities);
    if ('askOwnerOf' in step) {
      const place = await this.placeOf(card);
      if (!isOpenTo(step.askOwnerOf, place)) return keptOut(step.askOwnerOf);
      const known = place?.private ? undefined : place;
      return secondStep(step.askOwnerOf, await this.askOwner(step.askOwnerOf, known), known?.references);
    }
    const { decided, allowedAt } = step;
    const { token } = decided;
    const isOwn = token !== undefined && this.parts.parties.has(token);
    if (token && !isOwn && decided.status === 'Accepted')
      return isOpenTo(token, await this.placeOf(card)) ? decided : keptOut(token);
    const credited = withCredit(decided, !(isOwn && broke.has(idKey(token.contract_id))));
    return allowedAt ? withPlace(credited, await this.isAmong(allowedAt, card)) : credited;
  }

  private broke(held: readonly Held[]): Promise<ReadonlySet<string>> {
    return withoutCredit(this.parts.db, held.filter(({ own }) => own).map(({ token }) => token.contract_id));
  }

  /** Few cards are contested: what agreements say of them is read for those alone. */
  private async prioritiesFor(held: readonly (readonly Held[])[]): Promise<Priorities> {
    const { db, grants, clock } = this.parts;
    const isContested = held.some((tokens) => tokens.length > 1 && contendersOf(tokens).length > 1);
    return isContested ? grants.tokenPriorities(db, clock.now()) : NOBODY_FIRST;
  }

  private async isAmong(allowedAt: NonNullable<Held['allowedAt']>, card: Card): Promise<boolean> {
    const place = await this.placeOf(card);
    if (!place) return false;
    const { countryCode: country_code, partyId: party_id } = place.party;
    return allowedOf(allowedAt, { party: { country_code, party_id }, references: place.references }) !== undefined;
  }

  private async askOwner(token: Token, place: ShownAt | undefined): Promise<OwnersAnswer> {
    try {
      const answer = await this.parts.bus.ask(authorizeAtPartner, {
        party: { countryCode: token.country_code, partyId: token.party_id },
        uid: token.uid,
        type: token.type,
        timeoutMs: OWNER_ANSWERS_WITHIN_MS,
        ...(place ? { from: place.party, locationReferencesJson: toJsonBytes(place.references) } : {}),
      }, { timeoutMs: OWNER_ANSWERS_WITHIN_MS + 1_000 });
      if (answer.outcome !== SendOutcome.ANSWERED) return { silent: `its owner ${partyText(token)} could not be reached` };
      return answer.authorizationInfoJson
        ? { info: fromJsonBytes<AuthorizationInfo>(answer.authorizationInfoJson) }
        : { unknownToken: true };
    } catch (error) {
      if (error instanceof Unanswered || error instanceof Refused) return { silent: `its owner could not be asked (${error.message})` };
      throw error;
    }
  }

  /**
   * Where the card was shown, as its owner knows the place; without it when the place is not published.
   * Before it is known which connector it will be, a station of several EVSEs is named by its Location.
   */
  private async placeOf({ stationId, connectorId }: Card): Promise<ShownAt | undefined> {
    const connectors = connectorId === undefined ? [1, 2] : [connectorId];
    const found = await Promise.all(connectors.map((stationConnector) => this.resolve(stationId, stationConnector)));
    const [place, ...others] = found.filter((one) => one !== undefined);
    if (!place) return undefined;
    const { party, locationId: location_id, evseUid } = place;
    const isOneEvse = others.every((other) => other.evseUid === evseUid);
    const references = { location_id, ...(isOneEvse ? { evse_uids: [evseUid] } : {}) };
    return { party: party!, references, private: place.private ? fromJsonBytes<Location>(place.locationJson) : undefined };
  }

  private async resolve(stationId: string, stationConnector: number) {
    try {
      return await this.parts.bus.ask(resolveStation, { stationId, stationConnector }, { timeoutMs: PLACE_WITHIN_MS });
    } catch (error) {
      if (error instanceof Unanswered || error instanceof Refused) return undefined;
      throw error;
    }
  }
}

/** What is private is for our own drivers, and for whom it names. Where it is not known now, nobody is kept out. */
function isOpenTo(token: Token, place: ShownAt | undefined): boolean {
  return !place?.private || isNamed(place.private, token);
}
