import { randomUUID } from 'node:crypto';
import { told, type Outbox } from '#bus';
import { tokenChanged } from '#contracts/tokens-auth';
import { fromJsonBytes, jsonText, toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import type { Marks } from '#erasure';
import { type AskedFor, type AuthorizationInfo, isOutdated, type Party, partyText, patchToken, read, sameId, sameParty, Token } from '#ocpi';
import type { Database, ObjectPage, PageRequest } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import { type Clock, instant, rfc3339 } from '#time';
import { noteContest } from './contest-rows.ts';
import { withoutCredit } from './credit-rows.ts';
import { informing, type Said } from './informing.ts';
import { allowedOf, type AskedPlace, type Place } from './places.ts';
import {
  findOwnToken, findToken, type HeldToken, heldTokenKeys, listOwnTokens, noteFormerContract, storeToken,
  type TokenKey, tokensOfContract,
} from './token-rows.ts';

export type Refusal = 'unknown-token' | 'location-needed' | 'invalid-object' | 'token-of-another-contract';
export type Change = 'created' | 'updated' | 'unchanged' | 'stale';

export interface TokensAuthParts {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly log: Log;
  readonly marks: Marks;
}

/** The service's verbs. */
export class TokensAuth {
  constructor(private readonly parts: TokensAuthParts) {}

  /** A partner's PUT or PATCH of its token, or what it said of one that it was asked for. */
  putPartnerToken(
    key: TokenKey,
    body: Uint8Array,
    { patch, ...asked }: { patch: boolean } & AskedFor,
  ): Promise<Change> {
    return this.change(
      key,
      (known) => {
        if (!patch) return { own: false, text: jsonText(body) };
        if (!known)
          throw new Rejected<Refusal>('unknown-token', `${key.type} token ${key.uid} is not known: PUT it first`);
        return { own: false, text: JSON.stringify(patchToken(known.token, fromJsonBytes(body))) };
      },
      asked,
    );
  }

  /** What is held of a partner's party. */
  held(party: Pick<TokenKey, 'countryCode' | 'partyId'>, after: string, limit: number): Promise<string[]> {
    return heldTokenKeys(this.parts.db, party, after, limit);
  }

  /**
   * A partner's full list, asked for then, does not have it any more: it opens nothing, until it is pushed or listed
   * again. What came since stays. TRN-57.
   */
  async drop(key: TokenKey, askedAt?: string): Promise<boolean> {
    const held = await findToken(this.parts.db, key);
    if (!held || held.own || !held.token.valid) return false;
    return (
      (await this.change(key, (known) =>
        ({ own: false, text: JSON.stringify({ ...known!.token, valid: false }) }), { askedAt })) === 'updated'
    );
  }

  /**
   * One of our own drivers' tokens; what is left out is filled in, also whose of our parties it is. The
   * same again changes nothing.
   */
  async issueToken(given: Partial<Token>, allowedAt: readonly Place[] = []): Promise<Change> {
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
        throw new Rejected<Refusal>('token-of-another-contract', `${key.uid} belongs to another contract, and stays with it: give the driver a token with another uid, or the contract_id as it was`);
      }
      // TOK-11: what lives in an app is asked about in real time; a card may be used from the list.
      const whitelist = key.type === 'RFID' ? 'ALLOWED' : 'NEVER';
      const token = {
        issuer: party.name,
        valid: true,
        whitelist,
        ...given,
        country_code,
        party_id,
        type: key.type,
        last_updated: known?.token.last_updated ?? rfc3339(clock.now()),
      };
      const changed = known !== undefined && JSON.stringify(token) !== known.text;
      return {
        own: true,
        // Newer than it was, also where another replica's clock is ahead of ours, or ours was set back.
        text: JSON.stringify(changed
          ? { ...token, last_updated: rfc3339(Math.max(clock.now(), instant(known.token.last_updated) + 1)) } : token),
        ...(allowedAt.length > 0 ? { allowedAt } : {}),
      };
    });
  }

  /** `noCredit`: it is one of ours, and its driver has none left. */
  async find(key: TokenKey): Promise<{ text: string; noCredit: boolean } | undefined> {
    const { db } = this.parts;
    const held = await findToken(db, key);
    return held && { text: held.text, noCredit: held.own && !(await this.hasCredit(held.token)) };
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
    { uid, type, party }: { uid: string; type: string; party?: Party | undefined },
    asked?: AskedPlace,
  ): Promise<AuthorizationInfo> {
    const { db, parties } = this.parts;
    const held = await findOwnToken(db, { uid, type }, party ? [party] : parties.all);
    if (!held) throw new Rejected<Refusal>('unknown-token', `${type} token ${uid} is none of ours`);
    const { token, allowedAt } = held;
    const no = (allowed: Said): AuthorizationInfo => ({ allowed, token, info: informing(allowed, token.language) });
    if (!token.valid) return no('BLOCKED');
    if (!(await this.hasCredit(token))) return no('NO_CREDIT');
    if (allowedAt && !asked) {
      throw new Rejected<Refusal>(
        'location-needed',
        `location_id: ${type} token ${uid} may not charge everywhere: say where it is to`,
      );
    }
    const location = asked && allowedOf(allowedAt, asked);
    if (asked && !location) return no('NOT_ALLOWED');
    return {
      allowed: 'ALLOWED',
      token,
      ...(location ? { location } : {}),
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

  private change(
    key: TokenKey,
    next: (known?: HeldToken) => Pick<HeldToken, 'own' | 'text' | 'allowedAt'>,
    asked: AskedFor = {},
  ): Promise<Change> {
    const { db, outbox } = this.parts;
    return db.tx(async (tx) => {
      const known = await findToken(tx, key, true);
      const { own, text, allowedAt } = next(known);
      const token = read(Token, JSON.parse(text));
      if (!token.ok) throw new Rejected<Refusal>('invalid-object', token.message);
      if (known && isOutdated(known.token, known.takenAt, token.value, asked)) return 'stale';
      if (!known && this.isErased(token.value)) return 'stale';
      if (known?.text === text && JSON.stringify(known.allowedAt) === JSON.stringify(allowedAt)) return 'unchanged';
      await storeToken(
        tx,
        { own, token: token.value, text, allowedAt },
        known !== undefined && asked.replaces === known.token.last_updated,
      );
      if (known && !sameId(known.token.contract_id, token.value.contract_id)) await noteFormerContract(tx, known.token);
      if (!known && (await noteContest(tx, token.value.uid, token.value, this.parts.clock.iso()))) {
        this.parts.log.warn('a party issued a uid that another has, too: its card is refused', {
          party: partyText(token.value),
        });
      }
      const { country_code: countryCode, party_id: partyId, uid, type, last_updated: lastUpdated } = token.value;
      const fact = told(tokenChanged, {
        own,
        party: { countryCode, partyId },
        uid,
        type,
        tokenJson: toJsonBytes(text),
        lastUpdated,
      });
      await outbox.tell(tx, [{ ...fact, about: `${countryCode}*${partyId}*${uid}*${type}`.toLowerCase() }]);
      return known ? 'updated' : 'created';
    });
  }

  /** What was said of a contract before it was erased is not taken when it comes late; a new one's token is. */
  private isErased({ country_code, party_id, contract_id: contractId, last_updated: saidAt }: Token): boolean {
    return this.parts.marks.isErased({ party: { country_code, party_id }, contractId }, saidAt);
  }
}
