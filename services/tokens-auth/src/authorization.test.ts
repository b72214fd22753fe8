import { describe, expect, test } from 'vitest';
import type { Token } from '#ocpi';
import { firstStep, type OwnersAnswer, secondStep } from './authorization.ts';

const card = {
  country_code: 'CA', party_id: 'CPK', uid: '04A2B3C4D5E680', type: 'RFID', contract_id: 'CA-CPK-C00000002-H',
  issuer: 'Carbon Plunk', valid: true, whitelist: 'ALLOWED', last_updated: '2022-02-01T17:00:00Z',
} as Token;
const partners = (changes: Partial<Token> = {}) => ({ token: { ...card, ...changes } as Token, own: false });

describe('TOK-09 a card is decided by its whitelist type', () => {
  test.each([
    ['ALWAYS', true, 'Accepted'],
    ['ALWAYS', false, 'Blocked'], // D8
    ['ALLOWED', true, 'Accepted'],
    ['ALLOWED', false, 'Blocked'],
  ] as const)('%s and valid=%s by the list: %s', (whitelist, valid, status) => {
    expect(firstStep([partners({ whitelist, valid })])).toMatchObject({ decided: { status, authMethod: 'WHITELIST' } });
  });

  test.each(['NEVER', 'ALLOWED_OFFLINE'] as const)('TOK-10 %s asks the owner, also when the token is not valid', (whitelist) => {
    expect(firstStep([partners({ whitelist, valid: false })])).toHaveProperty('askOwnerOf');
  });

  test.each([
    ['NEVER', true, 'Invalid'],
    ['ALLOWED_OFFLINE', true, 'Accepted'],
    ['ALLOWED_OFFLINE', false, 'Blocked'],
  ] as const)('%s and valid=%s with a silent owner: %s', (whitelist, valid, status) => {
    expect(secondStep({ ...card, whitelist, valid }, { silent: 'the partner did not answer' }).status).toBe(status);
  });
});

test.each([
  ['ALLOWED', 'Accepted'],
  ['BLOCKED', 'Blocked'],
  ['EXPIRED', 'Expired'],
  ['NO_CREDIT', 'Blocked'],
  ['NOT_ALLOWED', 'Blocked'],
] as const)('an owner that answers %s makes the card %s by AUTH_REQUEST, with its reference', (allowed, status) => {
  const answer = { info: { allowed, token: card, authorization_reference: 'REF-1' } } as OwnersAnswer;
  expect(secondStep({ ...card, whitelist: 'NEVER' }, answer)).toMatchObject({
    status, authMethod: 'AUTH_REQUEST', reference: 'REF-1',
  });
});

test('a card nobody issued is Invalid', () => {
  expect(firstStep([])).toMatchObject({ decided: { status: 'Invalid' } });
});

test('a card that two parties issued is Invalid', () => {
  expect(firstStep([partners(), partners({ party_id: 'XYZ' })])).toMatchObject({
    decided: { status: 'Invalid', why: 'two parties have issued a token with this uid' },
  });
});

test('TOK-01 one owner may have two types under a uid: the card at a reader is the RFID one', () => {
  const step = firstStep([partners({ type: 'APP_USER', valid: false }), partners()]);
  expect(step).toMatchObject({ decided: { status: 'Accepted', token: { type: 'RFID' } } });
});
