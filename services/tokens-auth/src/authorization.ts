import { type AuthorizationInfo, idKey, type LocationReferences, type Party, partyText, sameId, type Token } from '#ocpi';
import type { Place } from './places.ts';

/** Why a card may not charge, for programs. */
export type CardRefusal =
  | 'unknown-card' | 'uid-of-several-parties' | 'not-valid' | 'no-credit' | 'no-link' | 'not-here' | 'by-command-only'
  | 'owner-silent' | 'owner-does-not-know-it' | 'owner-says-no';

/** OCPP AuthorizationStatus, and why: the words a person reads. */
export interface Decision {
  readonly status: 'Accepted' | 'Blocked' | 'Expired' | 'Invalid';
  readonly authMethod: 'WHITELIST' | 'AUTH_REQUEST';
  readonly token?: Token;
  readonly reference?: string;
  readonly why: string;
  /** Absent where it may. */
  readonly refusal?: CardRefusal;
  /** It is for the station, and may be otherwise at one of its connectors. */
  readonly byConnector?: boolean;
}

/** A token as the decision sees it. */
export interface Held {
  readonly token: Token;
  readonly own: boolean;
  /** A partner's, whose link has ended: nobody would take what it charges. */
  readonly withoutLink?: boolean | undefined;
  /** One of ours: where alone it may charge. */
  readonly allowedAt?: readonly Place[] | undefined;
}

/** What to do about a card: decided from what is held here, or by asking its owner. */
export type Step =
  | { readonly decided: Decision; readonly allowedAt?: readonly Place[] | undefined }
  | { readonly askOwnerOf: Token };

/** Priorities of partners whose agreement gives one, by `CA*CPK`. */
export type Priorities = ReadonlyMap<string, number>;

/** Which of the tokens with a card's uid counts, and whether its owner has to be asked. TOK-09, TOK-10, D8. */
export function firstStep(held: readonly Held[], priorities: Priorities = new Map()): Step {
  if (held.length === 0) return { decided: refused('unknown-card', 'no token with this uid is known here') };
  const card = cardAmong(held, priorities);
  if (!card) {
    const parties = contendersOf(held).map(partyText).join(', ');
    return {
      decided: refused(
        'uid-of-several-parties',
        `${parties} have issued a token with this uid, and no agreement says whose it is`,
      ),
    };
  }
  const { token, own, withoutLink, allowedAt } = card;
  if (withoutLink) return { decided: unpaid(token) };
  if (own || token.whitelist === 'ALWAYS' || token.whitelist === 'ALLOWED') {
    return { decided: byList(token, own ? 'our own token' : `whitelist ${token.whitelist}`), allowedAt };
  }
  // CMD-06: what lives in an app, its owner says yes to in a command; at a station it is not asked about.
  if (token.type === 'APP_USER' || token.type === 'AD_HOC_USER') {
    return { decided: refused('by-command-only', `a token of type ${token.type} charges by its owner's command`) };
  }
  return { askOwnerOf: token };
}

/** Several of these issued a uid, if any did: whose card it is has to be said. */
export function contendersOf(held: readonly Held[]): Party[] {
  const parties = contending(held).map(({ token: { country_code, party_id } }) => ({ country_code, party_id }));
  return [...new Map(parties.map((party) => [partyText(party), party])).values()];
}

/** Whose card it is where several issued its uid: the one with the highest priority, if it is the only one. */
export function winnerOf(contenders: readonly Party[], priorities: Priorities): Party | undefined {
  const of = (party: Party) => priorities.get(partyText(party)) ?? 0;
  const highest = Math.max(0, ...contenders.map(of));
  const [winner, ...equals] = contenders.filter((party) => of(party) === highest);
  return highest > 0 && equals.length === 0 ? winner : undefined;
}

/** A card at a reader is RFID, where there is one (TOK-01); what its owner withdrew, or has no link for, contends with nobody's. */
function contending(held: readonly Held[]): readonly Held[] {
  const cards = held.filter(({ token }) => token.type === 'RFID');
  const shown = cards.length > 0 ? cards : held;
  const valid = shown.filter(({ token, withoutLink }) => token.valid && !withoutLink);
  return valid.length > 0 ? valid : shown;
}

function cardAmong(held: readonly Held[], priorities: Priorities): Held | undefined {
  const contenders = contendersOf(held);
  const winner = contenders.length === 1 ? contenders[0] : winnerOf(contenders, priorities);
  return winner && contending(held).find(({ token }) => partyText(token) === partyText(winner));
}

/** A card of ours may charge only while its driver has credit. */
export function withCredit(decision: Decision, hasCredit: boolean): Decision {
  if (hasCredit || decision.status !== 'Accepted') return decision;
  return {
    ...decision, status: 'Blocked', refusal: 'no-credit',
    why: `${decision.why}, but NO_CREDIT: the limit of the driver's account is reached`,
  };
}

/** A card of ours that may not charge everywhere. */
export function withPlace(decision: Decision, mayChargeHere: boolean): Decision {
  if (mayChargeHere || decision.status !== 'Accepted') return decision;
  return { ...decision, status: 'Blocked', refusal: 'not-here', why: `${decision.why}, but NOT_ALLOWED: it may not charge here` };
}

/** A partner's card at a private place that does not name it: refused, without a word to its owner. LOC-07. */
export function keptOut(token: Token): Decision {
  const why = `${partyText(token)} issued it, and this place is private: its publish_allowed_to does not name it`;
  return { status: 'Blocked', authMethod: 'WHITELIST', token, refusal: 'not-here', why };
}

/** A charge of it would be energy that nobody is asked to pay for. */
function unpaid(token: Token): Decision {
  const why = `${partyText(token)} issued it, and its link has ended: its cards charge here again when it has one, its own or through a hub`;
  return { status: 'Blocked', authMethod: 'WHITELIST', token, refusal: 'no-link', why };
}

/** What the owner said, or that it could not be asked. */
export type OwnersAnswer = { readonly info: Pick<AuthorizationInfo, 'allowed' | 'location' | 'authorization_reference'> } | { readonly unknownToken: true } | { readonly silent: string };

const statusOf: Readonly<Record<AuthorizationInfo['allowed'], Decision['status']>> = {
  ALLOWED: 'Accepted',
  BLOCKED: 'Blocked',
  EXPIRED: 'Expired',
  NO_CREDIT: 'Blocked',
  NOT_ALLOWED: 'Blocked',
};

/**
 * TOK-09: NEVER needs the owner's yes; ALLOWED_OFFLINE goes by the list when the owner is silent.
 * `asked` is where the charge may be, as far as the owner may know: the card may charge where one of its EVSEs is allowed.
 */
export function secondStep(token: Token, answer: OwnersAnswer, asked?: LocationReferences): Decision {
  if ('info' in answer) {
    const { allowed, authorization_reference: reference, location } = answer.info;
    const allowedHere = allowed === 'ALLOWED' && asked !== undefined && location !== undefined ? amongAllowed(location, asked) : 'all';
    const isElsewhere = allowedHere === 'none';
    return {
      status: isElsewhere ? 'Blocked' : statusOf[allowed],
      authMethod: 'AUTH_REQUEST',
      token,
      ...(reference ? { reference } : {}),
      why: `the token's owner answered ${allowed}${isElsewhere ? ', but not here' : ''}`,
      ...(isElsewhere ? { refusal: 'not-here' } : allowed === 'ALLOWED' ? {} : { refusal: 'owner-says-no' }),
      ...(allowedHere === 'some' ? { byConnector: true } : {}),
    };
  }
  if ('unknownToken' in answer) return refused('owner-does-not-know-it', "the token's owner does not know it");
  if (token.whitelist === 'ALLOWED_OFFLINE') return byList(token, `whitelist ALLOWED_OFFLINE, and ${answer.silent}`);
  return refused('owner-silent', `whitelist ${token.whitelist}, and ${answer.silent}`);
}

/** TOK-04: only the EVSEs where the driver may charge are returned; none named means all. */
function amongAllowed(allowed: LocationReferences, asked: LocationReferences): 'all' | 'some' | 'none' {
  if (!sameId(allowed.location_id, asked.location_id)) return 'none';
  const evses = new Set((allowed.evse_uids ?? []).map(idKey));
  const wanted = asked.evse_uids ?? [];
  if (evses.size === 0 || wanted.every((uid) => evses.has(idKey(uid)))) return 'all';
  return wanted.some((uid) => evses.has(idKey(uid))) ? 'some' : 'none';
}

function byList(token: Token, rule: string): Decision {
  return token.valid
    ? { status: 'Accepted', authMethod: 'WHITELIST', token, why: rule }
    : { status: 'Blocked', authMethod: 'WHITELIST', token, why: `${rule}, but the token is not valid`, refusal: 'not-valid' };
}

function refused(refusal: CardRefusal, why: string): Decision {
  return { status: 'Invalid', authMethod: 'WHITELIST', why, refusal };
}
