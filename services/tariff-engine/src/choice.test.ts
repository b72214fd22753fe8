import { expect, test } from 'vitest';
import type { Offer } from '#grants';
import type { Tariff, TariffType } from '#ocpi';
import { choose, type Chooser } from './choice.ts';

const oasis = { country_code: 'CA', party_id: 'BCT' };
const plunk = { country_code: 'CA', party_id: 'CPK' };
const other = { country_code: 'CA', party_id: 'XYZ' };
const atMs = Date.parse('2022-02-01T17:00:00Z');

const tariff = (id: string, type?: TariffType, more: Partial<Tariff> = {}) => ({
  tariffId: id,
  tariff: {
    ...oasis,
    id,
    currency: 'CAD',
    ...(type && { type }),
    elements: [{ price_components: [{ type: 'ENERGY' as const, price: 0.3, step_size: 1 }] }],
    last_updated: '2022-01-01T00:00:00Z',
    ...more,
  } satisfies Tariff,
});

const all = tariff('ALL');
const regular = tariff('REG', 'REGULAR');
const atStall = tariff('CARD', 'AD_HOC_PAYMENT');
const green = tariff('GREEN', 'PROFILE_GREEN');
const forPlunk = tariff('PLUNK', 'REGULAR');
const plunkInSpring = tariff('PLUNK', 'REGULAR', { start_date_time: '2022-03-01T00:00:00Z' });
const plunkGreen = tariff('PLUNK', 'PROFILE_GREEN');
const spring = tariff('SPRING', 'REGULAR', { start_date_time: '2022-03-01T00:00:00Z' });
const gone = { tariffId: 'GONE', tariff: undefined };
const offers: Offer[] = [{ to: [plunk], tariffIds: ['plunk'] }];

const rfid: Chooser = { tokenType: 'RFID', atMs, tokenParty: plunk };

test.each<[string, Parameters<typeof choose>[0], Chooser, string | undefined]>([
  ['a card is charged by the regular tariff', [all, regular, atStall, green], rfid, 'REG'],
  ['who pays at the charger by its own', [all, regular, atStall], { ...rfid, tokenType: 'AD_HOC_USER' }, 'CARD'],
  ['who pays at the charger else by one for all', [regular, all], { ...rfid, tokenType: 'AD_HOC_USER' }, 'ALL'],
  ['a green driver by the green one', [all, regular, green], { ...rfid, profile: 'GREEN' }, 'GREEN'],
  ['a profile without a tariff by the regular one', [all, regular], { ...rfid, profile: 'FAST' }, 'REG'],
  ['one that is not valid yet is left out', [spring, all], rfid, 'ALL'],
  ['one that is not in force is left out', [gone, all], rfid, 'ALL'],
  ['the agreement comes before all else', [all, regular, forPlunk], rfid, 'PLUNK'],
  ['another partner does not get it', [forPlunk, regular], { ...rfid, tokenParty: other }, 'REG'],
  ['nor who has no partner', [forPlunk, all], { ...rfid, tokenType: 'AD_HOC_USER' }, 'ALL'],
  ['nor who is not known', [forPlunk, all], { tokenType: 'RFID', atMs }, 'ALL'],
  ['an agreement without a tariff here changes nothing', [all, regular], rfid, 'REG'],
  ['one of the agreement that is not valid yet leaves those for all', [regular, plunkInSpring], rfid, 'REG'],
  ['and so does one that is for another profile', [regular, plunkGreen], rfid, 'REG'],
  ['but not for a driver who has it', [regular, plunkGreen], { ...rfid, profile: 'GREEN' }, 'PLUNK'],
  ['where nothing applies nothing is chosen', [atStall, gone], rfid, undefined],
])('%s', (_, candidates, payer, id) => {
  const { chosen, others } = choose(candidates, payer, offers);
  expect(chosen && candidates[chosen.index]?.tariffId).toBe(id);
  expect(others).toHaveLength(candidates.length - (id === undefined ? 0 : 1));
});

test('each tariff that does not apply says why', () => {
  const candidates = [gone, spring, atStall, all, regular, forPlunk];
  const { chosen, others } = choose(candidates, { ...rfid, tokenParty: other }, offers);
  expect(chosen?.why).toBe('the tariff of type REGULAR in force');
  expect(others).toEqual([
    { tariffId: 'GONE', why: 'no version of it was in force then' },
    { tariffId: 'SPRING', why: 'is valid from 2022-03-01T00:00:00Z only' },
    { tariffId: 'CARD', why: 'is of type AD_HOC_PAYMENT, which is not for a token of type RFID' },
    { tariffId: 'ALL', why: 'would apply too, but REG comes first' },
    { tariffId: 'PLUNK', why: 'is offered to CA*CPK only' },
  ]);
});

test('where one for all applies in place of the agreement’s own, it says why', () => {
  const { chosen, others } = choose([regular, plunkInSpring], rfid, offers);
  expect([chosen?.why, others]).toEqual([
    'the tariff of type REGULAR in force',
    [{ tariffId: 'PLUNK', why: 'is valid from 2022-03-01T00:00:00Z only' }],
  ]);
});

test('what the agreement leaves out says so', () => {
  const { chosen, others } = choose([regular, forPlunk], rfid, offers);
  expect([chosen?.why, others]).toEqual([
    'the tariff of type REGULAR in force, by the agreement with CA*CPK',
    [{ tariffId: 'REG', why: 'CA*CPK is offered another one here by its agreement' }],
  ]);
});
