import type { CdrToken } from './cdrs.ts';
import type { Token } from './tokens.ts';

/** Stands where an erased id was, so that the object stays one that OCPI knows. */
export const ERASED = 'ERASED';

/** What is left of an erased token: the company that issued it. */
export function erasedCdrToken({ country_code, party_id }: Pick<CdrToken, 'country_code' | 'party_id'>): CdrToken {
  return { country_code, party_id, uid: ERASED, type: 'OTHER', contract_id: ERASED };
}

/** The same of a whole Token, with which nobody charges any more. */
export function erasedToken({ country_code, party_id, issuer, last_updated }: Token): Token {
  return {
    ...erasedCdrToken({ country_code, party_id }),
    ...{ issuer, valid: false, whitelist: 'NEVER' },
    last_updated,
  } as Token;
}
