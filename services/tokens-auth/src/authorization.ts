import { type AuthorizationInfo, sameId, type Token } from '#ocpi';

/** OCPP AuthorizationStatus, and why: the words a person reads. */
export interface Decision {
  readonly status: 'Accepted' | 'Blocked' | 'Expired' | 'Invalid';
  readonly authMethod: 'WHITELIST' | 'AUTH_REQUEST';
  readonly token?: Token;
  readonly reference?: string;
  readonly why: string;
}

/** What to do about a card: decided from what is held here, or by asking its owner. */
export type Step =
  | { readonly decided: Decision }
  | { readonly askOwnerOf: Token };

/** Which of the tokens with a card's uid counts, and whether its owner has to be asked. TOK-09, TOK-10, D8. */
export function firstStep(tokens: readonly { readonly token: Token; readonly own: boolean }[]): Step {
  const [first, ...others] = tokens;
  if (!first) return { decided: refused('Invalid', 'no token with this uid is known here') };
  if (others.some(({ token }) => !sameOwner(token, first.token))) {
    return { decided: refused('Invalid', 'two parties have issued a token with this uid') };
  }
  // One owner may have several types under a uid (TOK-01): a card at a reader is RFID.
  const { token, own } = tokens.find((held) => held.token.type === 'RFID') ?? first;
  if (own || token.whitelist === 'ALWAYS' || token.whitelist === 'ALLOWED') {
    return { decided: byList(token, own ? 'our own token' : `whitelist ${token.whitelist}`) };
  }
  return { askOwnerOf: token };
}

/** A card of ours may charge only while its driver has credit. */
export function withCredit(decision: Decision, hasCredit: boolean): Decision {
  if (hasCredit || decision.status !== 'Accepted') return decision;
  return { ...decision, status: 'Blocked', why: `${decision.why}, but NO_CREDIT: the limit of the driver's account is reached` };
}

/** What the owner said, or that it could not be asked. */
export type OwnersAnswer = { readonly info: AuthorizationInfo } | { readonly unknownToken: true } | { readonly silent: string };

const statusOf: Readonly<Record<AuthorizationInfo['allowed'], Decision['status']>> = {
  ALLOWED: 'Accepted',
  BLOCKED: 'Blocked',
  EXPIRED: 'Expired',
  NO_CREDIT: 'Blocked',
  NOT_ALLOWED: 'Blocked',
};

/** TOK-09: NEVER needs the owner's yes; ALLOWED_OFFLINE goes by the list when the owner is silent. */
export function secondStep(token: Token, answer: OwnersAnswer): Decision {
  if ('info' in answer) {
    const { allowed, authorization_reference: reference } = answer.info;
    return {
      status: statusOf[allowed],
      authMethod: 'AUTH_REQUEST',
      token,
      ...(reference ? { reference } : {}),
      why: `the token's owner answered ${allowed}`,
    };
  }
  if ('unknownToken' in answer) return refused('Invalid', "the token's owner does not know it");
  if (token.whitelist === 'ALLOWED_OFFLINE') return byList(token, `whitelist ALLOWED_OFFLINE, and ${answer.silent}`);
  return refused('Invalid', `whitelist ${token.whitelist}, and ${answer.silent}`);
}

function byList(token: Token, rule: string): Decision {
  return token.valid
    ? { status: 'Accepted', authMethod: 'WHITELIST', token, why: rule }
    : { status: 'Blocked', authMethod: 'WHITELIST', token, why: `${rule}, but the token is not valid` };
}

function refused(status: 'Invalid', why: string): Decision {
  return { status, authMethod: 'WHITELIST', why };
}

function sameOwner(a: Token, b: Token): boolean {
  return sameId(a.country_code, b.country_code) && sameId(a.party_id, b.party_id);
}
