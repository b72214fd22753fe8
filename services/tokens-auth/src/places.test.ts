import { expect, test } from 'vitest';
import { informing } from './informing.ts';
import { allowedOf } from './places.ts';

const party = { country_code: 'CA', party_id: 'BCT' };
const stalls = [{ party, locationId: 'BURNABY', evseUids: ['L2-01', 'L2-02'] }];
const asked = (location_id: string, evse_uids: string[] = []) => ({ party, references: { location_id, evse_uids } });

test.each([
  ['everywhere', undefined, asked('ANY', ['1']), { location_id: 'ANY', evse_uids: ['1'] }],
  [
    'at a whole Location',
    [{ ...stalls[0]!, evseUids: [] }],
    asked('burnaby', ['9']),
    { location_id: 'burnaby', evse_uids: ['9'] },
  ],
  [
    'at two EVSEs, asked about one of them and another',
    stalls,
    asked('BURNABY', ['l2-01', '9']),
    { location_id: 'BURNABY', evse_uids: ['l2-01'] },
  ],
  [
    'at two EVSEs, asked about the Location',
    stalls,
    asked('BURNABY'),
    { location_id: 'BURNABY', evse_uids: ['L2-01', 'L2-02'] },
  ],
  ['at two EVSEs, asked about another', stalls, asked('BURNABY', ['9']), undefined],
  ['at two EVSEs, asked about another Location', stalls, asked('SURREY', ['L2-01']), undefined],
  [
    "at two EVSEs, asked about another party's Location of that name",
    stalls,
    { ...asked('BURNABY'), party: { ...party, party_id: 'XYZ' } },
    undefined,
  ],
  [
    'at two EVSEs, asked by somebody who does not say who it is',
    stalls,
    { references: { location_id: 'BURNABY', evse_uids: ['L2-02'] } },
    { location_id: 'BURNABY', evse_uids: ['L2-02'] },
  ],
])('TOK-04: a token that may charge %s', (_what, allowedAt, question, expected) => {
  expect(allowedOf(allowedAt, question)).toEqual(expected);
});

test("a driver is told in the token's language, else in English", () => {
  expect(informing('NO_CREDIT', 'fr')).toEqual({ language: 'fr', text: 'La limite de votre compte est atteinte.' });
  expect(informing('NO_CREDIT', 'xx')).toEqual(informing('NO_CREDIT', undefined));
  expect(informing('NO_CREDIT', undefined)).toEqual({ language: 'en', text: 'The limit of your account is reached.' });
});
