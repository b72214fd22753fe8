import { type Bus, type Outbox, Refused, told, Unanswered } from '#bus';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { AgreementChanged } from '#contracts/agreements';
import { resolveStation } from '#contracts/locations';
import { authorizeAtPartner, SendOutcome } from '#contracts/ocpi-gateway';
import { busParty, ocpiParty, type Party as ToldParty } from '#contracts/party';
import { tokenAuthorized } from '#contracts/tokens-auth';
import { type GrantRows, shownSince } from '#grants';
import { type AuthorizationInfo, idKey, isNamed, type Location, type LocationReferences, type Party, partyText, type Token } from '#ocpi';
import type { Database, Tx } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import {
  contendersOf, type Decision, firstStep, type Held, keptOut, type OwnersAnswer, type Priorities, secondStep, type Step, winnerOf, withCredit, withPlace,
} from './authorization.ts';
import { type Contest, listContests, noteRefused } from './contest-rows.ts';
import { withoutCredit } from './credit-rows.ts';
import type { DescribedPlace } from './described-places.ts';
import { allowedOf } from './places.ts';
import { tokensOfCards } from './token-rows.ts';

/** A station's own message time-out may be 30 s or less (J-46); the owner gets 5 s of it. */
const OWNER_ANSWERS_WITHIN_MS = 5_000;
/** Where the card was shown is worth no waiting: the owner can be asked without, and of a place that is known what was last said holds. */
const PLACE_WITHIN_MS = 500;
const PLACES_KNOWN_AT_MOST = 50_000;
/** Asked for at once; few stations have more. */
const FIRST_CONNECTORS: readonly number[] = [1, 2];
const NOBODY_FIRST: Priorities = new Map();

export interface CardsParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly grants: GrantRows;
  readonly log: Log;
  /** Where stations are, by the settings. */
  readonly described: readonly DescribedPlace[];
}

export interface Card {
  readonly idTag: string;
  readonly stationId: string;
  readonly connectorId?: number;
}

type BusParty = Pick<ToldParty, 'countryCode' | 'partyId'>;

/** A place where a card may be about to charge: an EVSE of the station. */
interface ShownAt {
  readonly party: BusParty;
  readonly locationId: string;
  readonly evseUid: string;
  /** No partner is told of it (LOC-07), and of partners' cards it is open to those that it names (LOC-06). */
  readonly private?: Pick<Location, 'publish_allowed_to'> | undefined;
}

interface Resolved extends ShownAt {
  /** All of the station's that are at a Location. */
  readonly connectors: readonly number[];
}

export interface ContestView extends Contest {
  readonly parties: readonly Party[];
  readonly countsAs: Party | undefined;
}

/** Cards at stations: whose they are, and whether they may charge. */
export class Cards {
  /** As they were said last: no private place is open while locations is slow, or not there. LOC-07 */
  private readonly places = new Map<string, Resolved>();
  private readonly described: ReadonlyMap<string, readonly DescribedPlace[]>;

  constructor(private readonly parts: CardsParts) {
    this.described = Map.groupBy(parts.described, ({ stationId }) => stationId);
  }

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
    const { token } = 'decided' in step ? step.decided : { token: step.askOwnerOf };
    if (token && !this.parts.parties.has(token)) {
      if ('decided' in step && step.decided.status !== 'Accepted') return step.decided;
      const places = await this.placesOf(card);
      const open = places.filter((place) => isOpenTo(token, place));
      if (places.length > 0 && open.length === 0) return keptOut(token);
      const decision = 'decided' in step ? step.decided : await this.byOwner(token, open);
      return open.length < places.length ? { ...decision, byConnector: true } : decision;
    }
    const { decided, allowedAt } = step as Extract<Step, { decided: Decision }>;
    const credited = withCredit(decided, !(token && broke.has(idKey(token.contract_id))));
    if (!allowedAt) return credited;
    const places = await this.placesOf(card);
    const among = places.filter((place) => isAmong(allowedAt, place));
    const placed = withPlace(credited, among.length > 0);
    return among.length > 0 && among.length < places.length ? { ...placed, byConnector: true } : placed;
  }

  /** Its owner is told of a place only what it may see: nothing of what is private, or not granted to it. LOC-07. */
  private async byOwner(token: Token, open: readonly ShownAt[]): Promise<Decision> {
    const { db, grants, clock } = this.parts;
    const { places } = await grants.at(db, clock.now());
    const seen = open.filter((one) =>
      !one.private && shownSince({ ...ocpiParty(one.party), id: one.locationId }, [[token]], places) !== undefined);
    const [first] = seen;
    // Of two Locations either may be meant.
    const isOne = seen.every(({ locationId }) => locationId === first?.locationId);
    if (!first || !isOne) return secondStep(token, await this.askOwner(token));
    const evse_uids = [...new Set(seen.map(({ evseUid }) => evseUid))];
    const references = { location_id: first.locationId, ...(evse_uids.length === 1 ? { evse_uids } : {}) };
    return secondStep(token, await this.askOwner(token, { from: first.party, references }), { location_id: first.locationId, evse_uids });
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

  private async askOwner(token: Token, place?: { from: BusParty; references: LocationReferences }): Promise<OwnersAnswer> {
    try {
      const answer = await this.parts.bus.ask(authorizeAtPartner, {
        party: busParty(token),
        uid: token.uid,
        type: token.type,
        timeoutMs: OWNER_ANSWERS_WITHIN_MS,
        ...(place ? { from: place.from, locationReferencesJson: toJsonBytes(place.references) } : {}),
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

  /** Where the charge may be, as far as it is known: before it is known which connector it will be, wherever the station has one. */
  private async placesOf({ stationId, connectorId }: Card): Promise<ShownAt[]> {
    const at = async (connectors: readonly number[]) =>
      (await Promise.all(connectors.map((one) => this.resolve(stationId, one)))).filter((one) => one !== undefined);
    let asked = connectorId === undefined ? FIRST_CONNECTORS : [connectorId];
    let first = await at(asked);
    if (first.length === 0 && connectorId === undefined) {
      const any = await this.resolve(stationId, FIRST_CONNECTORS[0]!, true);
      asked = any?.connectors ?? [];
      first = await at(asked);
    }
    const others = connectorId === undefined ? (first[0]?.connectors ?? []).filter((one) => !asked.includes(one)) : [];
    return [...first, ...(await at(others))];
  }

  private async resolve(stationId: string, stationConnector: number, orAny = false): Promise<Resolved | undefined> {
    const asked = `${stationConnector} ${orAny} ${stationId}`;
    try {
      const { party, locationId, evseUid, private: isPrivate, locationJson, stationConnectors: connectors } =
        await this.parts.bus.ask(resolveStation, { stationId, stationConnector, orAny }, { timeoutMs: PLACE_WITHIN_MS });
      const { publish_allowed_to } = isPrivate ? fromJsonBytes<Location>(locationJson) : {};
      const place = {
        party: party!, locationId, evseUid, connectors,
        private: isPrivate ? { ...(publish_allowed_to ? { publish_allowed_to } : {}) } : undefined,
      };
      this.known(asked, place);
      return place;
    } catch (error) {
      if (!(error instanceof Unanswered || error instanceof Refused)) throw error;
      // Other refusals say nothing of the place: too much waits at locations, or its database is away.
      if (error instanceof Refused && error.code === 'unknown-station') return void this.places.delete(asked);
      return this.places.get(asked) ?? this.describedAt(stationId, stationConnector, orAny);
    }
  }

  private describedAt(stationId: string, stationConnector: number, orAny: boolean): Resolved | undefined {
    const all = this.described.get(stationId) ?? [];
    const place = all.find((one) => one.stationConnector === stationConnector) ?? (orAny ? all[0] : undefined);
    return place && {
      party: busParty(place.owner), locationId: place.locationId, evseUid: place.evseUid,
      private: place.private, connectors: all.map((one) => one.stationConnector),
    };
  }

  private known(asked: string, place: Resolved): void {
    this.places.delete(asked);
    this.places.set(asked, place);
    if (this.places.size > PLACES_KNOWN_AT_MOST) this.places.delete(this.places.keys().next().value!);
  }
}

/** What is private is for our own drivers, and for whom it names. */
function isOpenTo(token: Token, place: ShownAt): boolean {
  return !place.private || isNamed(place.private, token);
}

function isAmong(allowedAt: NonNullable<Held['allowedAt']>, { party, locationId: location_id, evseUid }: ShownAt): boolean {
  return allowedOf(allowedAt, { party: ocpiParty(party), references: { location_id, evse_uids: [evseUid] } }) !== undefined;
}
