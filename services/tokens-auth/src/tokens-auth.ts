import { randomUUID } from 'node:crypto';
import { type Bus, told, type Outbox, Refused, Unanswered } from '#bus';
import { resolveStation } from '#contracts/locations';
import { authorizeAtPartner, SendOutcome } from '#contracts/ocpi-gateway';
import type { Party as BusParty } from '#contracts/party';
import { tokenAuthorized, tokenChanged } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import type { Marks } from '#erasure';
import { type AuthorizationInfo, idKey, isStale, type LocationReferences, type Party, partyText, patchToken, read, sameParty, Token } from '#ocpi';
import type { Database, ObjectPage, PageRequest } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import { type Decision, firstStep, type OwnersAnswer, secondStep, withCredit } from './authorization.ts';
import { withoutCredit } from './credit-rows.ts';
import {
  findOwnToken, findToken, type HeldToken, heldTokenKeys, listOwnTokens, storeToken, type TokenKey, tokensByUid, tokensOfContract,
} from './token-rows.ts';

export type Refusal = 'unknown-token' | 'invalid-object' | 'token-of-another-contract';
export type Change = 'created' | 'updated' | 'unchanged' | 'stale';

/** A station's own message time-out may be 30 s or less (J-46); the owner gets 5 s of it. */
const OWNER_ANSWERS_WITHIN_MS = 5_000;
/** The CPO may show it to the driver. */
const NO_CREDIT_INFO = { language: 'en', text: 'The limit of your account is reached.' };

export interface TokensAuthParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly log: Log;
  readonly marks: Marks;
}

/** The service's verbs. */
export class TokensAuth {
  constructor(private readonly parts: TokensAuthParts) {}

  /** May these cards charge, each at its station? Every decision is told. */
  async authorize(cards: readonly { idTag: string; stationId: string; connectorId?: number }[]): Promise<Decision[]> {
    const { db, outbox, clock, log, parties } = this.parts;
    const byUid = await tokensByUid(db, cards.map((card) => card.idTag));
    const ours = [...byUid.values()].flat().filter(({ own }) => own);
    const broke = await withoutCredit(db, ours.map(({ token }) => token.contract_id));
    const isBroke = (token?: Token) => token !== undefined && parties.has(token) && broke.has(idKey(token.contract_id));
    const decisions = await Promise.all(cards.map(async (card) => {
      const step = firstStep(byUid.get(card.idTag.toLowerCase()) ?? []);
      return 'decided' in step
        ? withCredit(step.decided, !isBroke(step.decided.token))
        : secondStep(step.askOwnerOf, await this.askOwner(step.askOwnerOf, card));
    }));
    const at = rfc3339(clock.now());
    await db.tx((tx) => outbox.tell(tx, cards.map((card, index) => {
      const { status, authMethod, reference, why } = decisions[index]!;
      if (status !== 'Accepted') log.info('a card may not charge', { station: card.stationId, status, why });
      return told(tokenAuthorized, {
        idTag: card.idTag, stationId: card.stationId, status, authMethod, at,
        ...(reference ? { authorizationReference: reference } : {}),
      });
    })));
    return decisions;
  }

  /** A partner's PUT or PATCH of its token. */
  putPartnerToken(key: TokenKey, body: Uint8Array, patch: boolean): Promise<Change> {
    return this.change(key, (known) => {
      if (!patch) return { own: false, text: new TextDecoder().decode(body) };
      if (!known) throw new Rejected<Refusal>('unknown-token', `${key.type} token ${key.uid} is not known: PUT it first`);
      return { own: false, text: JSON.stringify(patchToken(known.token, fromJsonBytes(body))) };
    });
  }

  /** What is held of a partner's party. */
  held(party: Pick<TokenKey, 'countryCode' | 'partyId'>, after: string, limit: number): Promise<string[]> {
    return heldTokenKeys(this.parts.db, party, after, limit);
  }

  /** A partner's full list does not have it any more: it opens nothing, until it is pushed or listed again. TRN-57. */
  async drop(key: TokenKey): Promise<boolean> {
    const held = await findToken(this.parts.db, key);
    if (!held || held.own || !held.token.valid) return false;
    return await this.change(key, (known) => ({ own: false, text: JSON.stringify({ ...known!.token, valid: false }) })) === 'updated';
  }

  /**
   * One of our own drivers' tokens; what is left out is filled in, also whose of our parties it is. The
   * same again changes nothing.
   */
  async issueToken(given: Partial<Token>): Promise<Change> {
    const { db, parties, clock } = this.parts;
    const owner = parties.ownerOf(given, 'EMSP');
    if (!owner.ok) throw new Rejected<Refusal>('invalid-object', owner.message);
    const { party } = owner;
    const { country_code, party_id } = party;
    const key = { countryCode: country_code, partyId: party_id, uid: given.uid ?? '', type: given.type ?? 'RFID' };
    const other = (await findOwnToken(db, key, parties.all))?.token;
    if (other && !sameParty(other, party)) {
      throw new Rejected<Refusal>('token-of-another-contract', `${key.uid} is a token of ${partyText(other)}`);
    }
    return this.change(key, (known) => {
      if (known && known.token.contract_id !== given.contract_id) {
        throw new Rejected<Refusal>('token-of-another-contract', `${key.uid} belongs to another contract`);
      }
      // TOK-11: what lives in an app is asked about in real time; a card may be used from the list.
      const whitelist = key.type === 'RFID' ? 'ALLOWED' : 'NEVER';
      const token = {
        issuer: party.name, valid: true, whitelist, ...given, country_code, party_id, type: key.type,
        last_updated: known?.token.last_updated ?? rfc3339(clock.now()),
      };
      const changed = known !== undefined && JSON.stringify(token) !== known.text;
      return { own: true, text: JSON.stringify(changed ? { ...token, last_updated: rfc3339(clock.now()) } : token) };
    });
  }

  /** `noCredit`: it is one of ours, and its driver has none left. */
  async find(key: TokenKey): Promise<{ text: string; noCredit: boolean } | undefined> {
    const { db } = this.parts;
    const held = await findToken(db, key);
    return held && { text: held.text, noCredit: held.own && !await this.hasCredit(held.token) };
  }

  /** The oldest first. */
  ofContract(party: Pick<TokenKey, 'countryCode' | 'partyId'>, contractId: string): Promise<string[]> {
    return tokensOfContract(this.parts.db, party, contractId);
  }

  list(request: PageRequest, owner?: Party): Promise<ObjectPage> {
    return listOwnTokens(this.parts.db, request, owner);
  }

  /** A partner asks about one of our tokens, or of the one party of ours that it names. TOK-04 to TOK-08. */
  async answerAuthorize(
    { uid, type, party }: { uid: string; type: string; party?: Party | undefined }, references?: LocationReferences,
  ): Promise<AuthorizationInfo> {
    const { db, parties } = this.parts;
    const held = await findOwnToken(db, { uid, type }, party ? [party] : parties.all);
    if (!held) throw new Rejected<Refusal>('unknown-token', `${type} token ${uid} is none of ours`);
    if (!held.token.valid) return { allowed: 'BLOCKED', token: held.token };
    if (!await this.hasCredit(held.token)) return { allowed: 'NO_CREDIT', token: held.token, info: NO_CREDIT_INFO };
    return {
      allowed: 'ALLOWED',
      token: held.token,
      ...(references ? { location: references } : {}),
      authorization_reference: randomUUID().replaceAll('-', ''),
    };
  }

  isErasedOfOurs(contractId: string, at: string): boolean {
    const { marks, parties } = this.parts;
    return parties.all.some((party) => marks.isErased({ party, contractId }, at));
  }

  private async hasCredit({ contract_id }: Token): Promise<boolean> {
    return (await withoutCredit(this.parts.db, [contract_id])).size === 0;
  }

  private change(key: TokenKey, next: (known?: HeldToken) => { own: boolean; text: string }): Promise<Change> {
    const { db, outbox } = this.parts;
    return db.tx(async (tx) => {
      const known = await findToken(tx, key, true);
      const { own, text } = next(known);
      const token = read(Token, JSON.parse(text));
      if (!token.ok) throw new Rejected<Refusal>('invalid-object', token.message);
      if (known && isStale(known.token, token.value)) return 'stale';
      if (!known && this.isErased(token.value)) return 'stale';
      if (known?.text === text) return 'unchanged';
      await storeToken(tx, { own, token: token.value, text });
      const { country_code: countryCode, party_id: partyId, uid, type, last_updated: lastUpdated } = token.value;
      const fact = told(tokenChanged, {
        own, party: { countryCode, partyId }, uid, type, tokenJson: toJsonBytes(text), lastUpdated,
      });
      await outbox.tell(tx, [{ ...fact, about: `${countryCode}*${partyId}*${uid}*${type}`.toLowerCase() }]);
      return known ? 'updated' : 'created';
    });
  }

  /** What was said of a contract before it was erased is not taken when it comes late; a new one's token is. */
  private isErased({ country_code, party_id, contract_id: contractId, last_updated: saidAt }: Token): boolean {
    return this.parts.marks.isErased({ party: { country_code, party_id }, contractId }, saidAt);
  }

  private async askOwner(token: Token, card: { stationId: string; connectorId?: number }): Promise<OwnersAnswer> {
    const { bus } = this.parts;
    try {
      const place = await this.placeOf(card);
      const answer = await bus.ask(authorizeAtPartner, {
        party: { countryCode: token.country_code, partyId: token.party_id },
        uid: token.uid,
        type: token.type,
        timeoutMs: OWNER_ANSWERS_WITHIN_MS,
        ...(place ? { from: place.party, locationReferencesJson: toJsonBytes(place.references) } : {}),
      }, { timeoutMs: OWNER_ANSWERS_WITHIN_MS + 1_000 });
      if (answer.outcome !== SendOutcome.ANSWERED) return { silent: 'its owner could not be reached' };
      return answer.authorizationInfoJson
        ? { info: fromJsonBytes<AuthorizationInfo>(answer.authorizationInfoJson) }
        : { unknownToken: true };
    } catch (error) {
      if (error instanceof Unanswered || error instanceof Refused) return { silent: `its owner could not be asked (${error.message})` };
      throw error;
    }
  }

  /** Where the card was shown, as the owner knows the place; without it when the place is not published. */
  private async placeOf(
    card: { stationId: string; connectorId?: number },
  ): Promise<{ party: BusParty; references: LocationReferences } | undefined> {
    try {
      const place = await this.parts.bus.ask(resolveStation, {
        stationId: card.stationId, stationConnector: card.connectorId ?? 1,
      });
      return { party: place.party!, references: { location_id: place.locationId, evse_uids: [place.evseUid] } };
    } catch (error) {
      if (error instanceof Unanswered || error instanceof Refused) return undefined;
      throw error;
    }
  }
}
