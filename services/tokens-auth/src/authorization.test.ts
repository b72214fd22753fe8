import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AuthorizationInfo, type LocationReferences, type Token } from '#ocpi';
import {
  type CardRefusal, contendersOf, type Decision, firstStep, type Held, type OwnersAnswer, secondStep, withCredit, withPlace,
} from './authorization.ts';

const card = {
  country_code: 'CA', party_id: 'CPK', uid: '04A2B3C4D5E680', type: 'RFID', contract_id: 'CA-CPK-C00000002-H',
  issuer: 'Carbon Plunk', valid: true, whitelist: 'ALLOWED', last_updated: '2022-02-01T17:00:00Z',
} as Token;
const partners = (changes: Partial<Token> = {}): Held => ({ token: { ...card, ...changes } as Token, own: false });
const others = (changes: Partial<Token> = {}) => partners({ party_id: 'XYZ', ...changes });

/** Both steps, as an owner's platform makes them end. */
function decide(token: Partial<Token>, owner: OwnersAnswer): Decision {
  const step = firstStep([partners(token)]);
  return 'decided' in step ? step.decided : secondStep(step.askOwnerOf, owner);
}

const said = (allowed: AuthorizationInfo['allowed']): OwnersAnswer =>
  ({ info: { allowed, token: card, authorization_reference: 'REF-1' } as AuthorizationInfo });
const owners = {
  'says ALLOWED': said('ALLOWED'),
  'says BLOCKED': said('BLOCKED'),
  'says EXPIRED': said('EXPIRED'),
  'says NO_CREDIT': said('NO_CREDIT'),
  'says NOT_ALLOWED': said('NOT_ALLOWED'),
  'does not know it (404 and 2004)': { unknownToken: true },
  'is down': { silent: 'its owner could not be reached' },
  'is slow': { silent: 'its owner did not answer in time' },
} satisfies Record<string, OwnersAnswer>;
type Owner = keyof typeof owners;

const list = { ok: 'Accepted WHITELIST', invalid: 'Blocked WHITELIST not-valid' };
/** What an owner who is asked makes of it; only its silence depends on the list. */
const asked: Readonly<Record<Owner, string>> = {
  'says ALLOWED': 'Accepted AUTH_REQUEST REF-1',
  'says BLOCKED': 'Blocked AUTH_REQUEST REF-1 owner-says-no',
  'says EXPIRED': 'Expired AUTH_REQUEST REF-1 owner-says-no',
  'says NO_CREDIT': 'Blocked AUTH_REQUEST REF-1 owner-says-no',
  'says NOT_ALLOWED': 'Blocked AUTH_REQUEST REF-1 owner-says-no',
  'does not know it (404 and 2004)': 'Invalid WHITELIST owner-does-not-know-it',
  'is down': '', 'is slow': '',
};
const silence: readonly Owner[] = ['is down', 'is slow'];
const rows = (['ALWAYS', 'ALLOWED', 'ALLOWED_OFFLINE', 'NEVER'] as const).flatMap((whitelist) =>
  [true, false].flatMap((valid) => (Object.keys(owners) as Owner[]).map((owner) => {
    const byList = valid ? list.ok : list.invalid; // D8
    if (whitelist === 'ALWAYS' || whitelist === 'ALLOWED') return [whitelist, valid, owner, byList] as const;
    if (!silence.includes(owner)) return [whitelist, valid, owner, asked[owner]] as const; // TOK-10: asked all the same
    return [whitelist, valid, owner, whitelist === 'NEVER' ? 'Invalid WHITELIST owner-silent' : byList] as const;
  })));

test.each(rows)('TOK-09 TOK-10: a card with whitelist %s and valid=%s, whose owner %s: %s', (whitelist, valid, owner, expected) => {
  const { status, authMethod, reference, refusal } = decide({ whitelist, valid }, owners[owner]);
  expect([status, authMethod, reference, refusal].filter(Boolean).join(' ')).toBe(expected);
});

test.each(['NEVER', 'ALLOWED_OFFLINE'] as const)('TOK-10 %s asks the owner, also when the token is not valid', (whitelist) => {
  expect(firstStep([partners({ whitelist, valid: false })])).toHaveProperty('askOwnerOf');
});

test.each([
  ['APP_USER', 'NEVER'], ['APP_USER', 'ALLOWED_OFFLINE'], ['AD_HOC_USER', 'NEVER'], ['AD_HOC_USER', 'ALLOWED_OFFLINE'],
] as const)('CMD-06: the owner is not asked about a token of type %s at a station, whitelist %s or not', (type, whitelist) => {
  expect(firstStep([partners({ type, whitelist })])).toMatchObject({ decided: { status: 'Invalid', refusal: 'by-command-only' } });
});

test('a card nobody issued is Invalid', () => {
  expect(firstStep([])).toMatchObject({ decided: { status: 'Invalid', refusal: 'unknown-card' } });
});

describe('a uid that two parties issued', () => {
  const refused = { decided: { status: 'Invalid', refusal: 'uid-of-several-parties', why: expect.stringContaining('CA*CPK, CA*XYZ') } };
  const theirs = (party_id: string) => ({ decided: { status: 'Accepted', token: { party_id } } });

  test('is refused by name', () => {
    expect(firstStep([partners(), others()])).toMatchObject(refused);
    expect(firstStep([partners(), { ...others(), own: true }])).toMatchObject(refused);
  });
  test('is of the one with the highest priority', () => {
    expect(firstStep([partners(), others()], new Map([['CA*XYZ', 1]]))).toMatchObject(theirs('XYZ'));
    expect(firstStep([partners(), others()], new Map([['CA*XYZ', 1], ['CA*CPK', 2]]))).toMatchObject(theirs('CPK'));
  });
  test('is refused where two have the same priority, or another has one', () => {
    expect(firstStep([partners(), others()], new Map([['CA*XYZ', 1], ['CA*CPK', 1]]))).toMatchObject(refused);
    expect(firstStep([partners(), others()], new Map([['CA*ABC', 1]]))).toMatchObject(refused);
  });
  test('is of the one that is left when the other has withdrawn it', () => {
    expect(firstStep([partners({ valid: false }), others()])).toMatchObject(theirs('XYZ'));
    expect(firstStep([partners({ valid: false }), others({ valid: false })])).toMatchObject(refused);
  });
  test('is a card where one of them is an RFID token: an app is held to no reader', () => {
    expect(firstStep([partners({ type: 'APP_USER', whitelist: 'NEVER' }), others()])).toMatchObject(theirs('XYZ'));
  });
  test('is refused or one of theirs whatever the order, never of a third', () => {
    const any = fc.record({
      party_id: fc.constantFrom('AAA', 'BBB', 'CCC'), valid: fc.boolean(), type: fc.constantFrom('RFID', 'APP_USER', 'OTHER'),
    });
    fc.assert(
      fc.property(
        fc.array(any, { minLength: 1, maxLength: 5 }),
        fc.dictionary(fc.constantFrom('CA*AAA', 'CA*BBB'), fc.nat(2)),
        (tokens, given) => {
          const held = tokens.map((token) => partners(token as Partial<Token>));
          const priorities = new Map(Object.entries(given));
          const seen = (all: readonly Held[]) => {
            const step = firstStep(all, priorities);
            return 'decided' in step
              ? (step.decided.token?.party_id ?? step.decided.refusal)
              : step.askOwnerOf.party_id;
          };
          const outcome = seen(held);
          expect(seen(held.toReversed())).toBe(outcome);
          if (contendersOf(held).length === 1) expect(outcome).not.toBe('uid-of-several-parties' satisfies CardRefusal);
        },
      ),
    );
  });
});

test('TOK-01 one owner may have two types under a uid: the card at a reader is the RFID one', () => {
  const step = firstStep([partners({ type: 'APP_USER', valid: false }), partners()]);
  expect(step).toMatchObject({ decided: { status: 'Accepted', token: { type: 'RFID' } } });
});

describe('TOK-04: a place that the owner names', () => {
  const here: LocationReferences = { location_id: 'BURNABY', evse_uids: ['L2-01'] };
  test.each([
    ['none', undefined, 'Accepted'],
    ['the Location', { location_id: 'burnaby', evse_uids: [] }, 'Accepted'],
    ['the EVSE among others', { location_id: 'BURNABY', evse_uids: ['L2-09', 'l2-01'] }, 'Accepted'],
    ['other EVSEs alone', { location_id: 'BURNABY', evse_uids: ['L2-09'] }, 'Blocked'],
    ['another Location', { location_id: 'SURREY', evse_uids: [] }, 'Blocked'],
  ] as const)('%s: %s', (_what, location, status) => {
    const info = { allowed: 'ALLOWED', token: card, ...(location ? { location } : {}) } as AuthorizationInfo;
    expect(secondStep({ ...card, whitelist: 'NEVER' }, { info }, here).status).toBe(status);
  });
});

test('without credit, or at another place than it may, what the list lets in is Blocked, and what it refuses stays so', () => {
  const yes = (firstStep([partners()]) as { decided: Decision }).decided;
  expect(withCredit(yes, true)).toBe(yes);
  expect(withCredit(yes, false)).toMatchObject({ status: 'Blocked', refusal: 'no-credit' });
  expect(withPlace(yes, false)).toMatchObject({ status: 'Blocked', refusal: 'not-here' });
  const no = (firstStep([]) as { decided: Decision }).decided;
  expect([withCredit(no, false), withPlace(no, false)]).toEqual([no, no]);
});
