import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AgreementChanged, agreementChanged, agreementJson, agreementOf, getAgreement, setAgreement,
} from '#contracts/agreements';
import { type AgreementTerms, exampleTerms } from '#settlement';
import { openSide, type Side } from './side.ts';

const partner = { countryCode: 'CA', partyId: 'CPK' };
// The platform's clock shows today: older months are open under no agreement only until they would close.
const terms: AgreementTerms = { ...exampleTerms, valid_from: '2090-01' };

let oasis: Side;
const heard: AgreementChanged[] = [];

beforeAll(async () => {
  oasis = await openSide({});
  await oasis.neighbours.bus.watch(agreementChanged, (fact) => void heard.push(fact));
});
afterAll(() => oasis?.close());

const set = (more: Partial<AgreementTerms>, commandId?: string) => oasis.neighbours.bus.ask(
  setAgreement, { partner, agreement: agreementOf({ ...terms, ...more }) }, commandId === undefined ? {} : { commandId },
);
const versions = async () => (await oasis.neighbours.bus.ask(getAgreement, { partner })).versions;

test('an agreement is set, told once, and looked up as it was set', async () => {
  const made = await set({}, 'order-1');
  expect([made.version, agreementJson(made.agreement!)]).toEqual([1, terms]);
  expect(await set({}, 'order-1')).toEqual(made);
  expect(await set({})).toEqual(made);
  await expect.poll(() => heard).toMatchObject([{ partner, version: 1, at: made.at }]);
  expect(agreementJson(heard[0]!.agreement!)).toEqual(terms);
});

test('a later version follows it, and both are there after a restart', async () => {
  await set({ valid_from: '2090-07', fees: [] });
  await oasis.gateway.stop();
  await oasis.restart();
  expect((await versions()).map(({ version, agreement }) => `${version} from ${agreement!.validFrom}`)).toEqual([
    '1 from 2090-01', '2 from 2090-07',
  ]);
  await expect.poll(() => heard.map(({ version }) => version)).toEqual([1, 2]);
});

test.each([
  ['a month that would be closed by now', { valid_from: '2022-02' }, 'month-closed'],
  ['a zone that is none', { time_zone: 'Mars/Olympus' }, 'invalid-object'],
  ['parties that are others', { parties: [exampleTerms.parties[1]!, exampleTerms.parties[1]!] }, 'invalid-object'],
])('%s is refused', async (_, more, code) => {
  await expect(set(more)).rejects.toMatchObject({ code });
  expect(await versions()).toHaveLength(2);
});

test('with a partner of whom nothing was agreed there is nothing', async () => {
  const { versions: none } = await oasis.neighbours.bus.ask(getAgreement, { partner: { countryCode: 'CA', partyId: 'ELS' } });
  expect(none).toEqual([]);
});
