import { afterAll, beforeAll, expect, test } from 'vitest';
import { releaseCharge } from '#contracts/accounts';
import { getCdr } from '#contracts/cdr-ledger';
import { openDispute, withdrawDispute } from '#contracts/disputes';
import { type Cdr, creditCdr } from '#ocpi';
import { decimal, sum } from '#money';
import { cdr } from './charge.ts';
import { bct, cdrOf, creditOf, linesOf, newDriver, pushCdr, retailOfCdr, running, standingOf } from './drivers.ts';
import { plus, type RetailPlatform, retailPlatform } from './retail-platform.ts';

let careful: RetailPlatform;
beforeAll(async () => {
  careful = await retailPlatform({ ...plus, flagged_cdrs: 'hold' });
});
afterAll(() => careful?.stop());

/** Whether the account owes what this CDR costs. */
async function owedFor(contractId: string, cdrId: string): Promise<string> {
  const owed = sum((await linesOf(careful, contractId)).map(({ amount }) => decimal(amount))).neg();
  const { price } = await retailOfCdr(careful, cdrId);
  return owed.equals(decimal(price!.inclVat!)) ? 'all of it and nothing else' : `${owed} of ${price!.inclVat}`;
}

const odd = { total_cost: { excl_vat: 29.4, incl_vat: 30.87 } };

test('who holds odd CDRs back books one when its dispute is withdrawn, or the operator says so', async () => {
  const { token, contractId } = await newDriver(careful, 'HELD');
  await pushCdr(careful, cdrOf(token, 'H-1', odd));
  await pushCdr(careful, cdrOf(token, 'H-2', odd));
  await pushCdr(careful, cdrOf(token, 'H-3'));
  expect((await retailOfCdr(careful, 'H-1')).state).toBe('held');
  expect((await retailOfCdr(careful, 'H-3')).state).toBe('booked');
  const { dispute } = await careful.bus.ask(openDispute, { party: bct, cdrId: 'H-1', reason: 'ten times too much' });
  expect((await retailOfCdr(careful, 'H-1')).state).toBe('held');
  await careful.bus.ask(withdrawDispute, { disputeId: dispute!.disputeId, reason: 'it was right' });
  expect((await retailOfCdr(careful, 'H-1')).state).toBe('booked');
  expect(await careful.bus.ask(releaseCharge, { party: bct, cdrId: 'H-2' })).toMatchObject({ state: 'booked' });
  await careful.bus.ask(releaseCharge, { party: bct, cdrId: 'H-2' });
  expect(await linesOf(careful, contractId)).toHaveLength(3);
  await expect(careful.bus.ask(releaseCharge, { party: bct, cdrId: 'NONE' })).rejects.toMatchObject({ code: 'unknown-charge' });
});

test('who holds odd CDRs back lets its driver charge again: what is held counts no more as running', async () => {
  const { token, contractId } = await newDriver(careful, 'HELD-AT-LIMIT');
  await careful.sessionMoves({ ...running(token, 'S-HL-1', 30, '2022-02-01T18:20:00Z'), status: 'COMPLETED' });
  await expect.poll(() => creditOf(careful, contractId)).toEqual([true]);
  await pushCdr(careful, cdrOf(token, 'HL-1', odd));
  expect((await retailOfCdr(careful, 'HL-1')).state).toBe('held');
  await expect.poll(() => creditOf(careful, contractId)).toEqual([true, false]);
  expect(await standingOf(careful, contractId)).toMatchObject({ exhausted: false, balances: [{ left: '20' }] });
});

test('who holds odd CDRs back pays a second credit of one charge back when the operator says so, and never more than all', async () => {
  const { token, contractId } = await newDriver(careful, 'CREDITED-TWICE');
  const body = cdrOf(token, 'TW-1');
  await pushCdr(careful, body);
  const { price } = await retailOfCdr(careful, 'TW-1');
  const part = (id: string, share: number): Cdr => ({
    ...creditCdr(body, cdr.last_updated), id, total_cost: { excl_vat: -body.total_cost.excl_vat * share },
  });
  await pushCdr(careful, part('TW-1-A', 0.5));
  await pushCdr(careful, part('TW-1-B', 1));
  expect((await retailOfCdr(careful, 'TW-1-A')).state).toBe('booked');
  expect((await retailOfCdr(careful, 'TW-1-B')).state).toBe('held');
  expect(await linesOf(careful, contractId)).toHaveLength(2);
  expect(await careful.bus.ask(releaseCharge, { party: bct, cdrId: 'TW-1-B' })).toMatchObject({ state: 'booked' });
  const [last, first] = await linesOf(careful, contractId);
  expect(decimal(last!.amount).add(decimal(first!.amount)).toString()).toBe(decimal(price!.inclVat!).toString());
  const { findings } = await careful.bus.ask(getCdr, { party: bct, cdrId: 'TW-1-B' });
  expect(findings.map(({ code }) => code)).toContain('second-credit');
});

test('who holds odd CDRs back holds a second CDR of one session back, and books it once the first is credited', async () => {
  const { token, contractId } = await newDriver(careful, 'BILLED-TWICE');
  const first = cdrOf(token, 'BT-1');
  const again = (id: string) => cdrOf(token, id, { session_id: first.session_id! });
  for (const body of [first, again('BT-2'), again('BT-3')]) await pushCdr(careful, body);
  const states = async () => (await Promise.all(['BT-1', 'BT-2', 'BT-3'].map((id) => retailOfCdr(careful, id)))).map(({ state }) => state);
  expect(await states()).toEqual(['booked', 'held', 'held']);
  expect(await linesOf(careful, contractId)).toHaveLength(1);
  await pushCdr(careful, creditCdr(again('BT-3'), cdr.last_updated));
  expect(await states()).toEqual(['booked', 'held', 'none']);
  await pushCdr(careful, creditCdr(first, cdr.last_updated));
  await expect.poll(states).toEqual(['booked', 'booked', 'none']);
  const owed = sum((await linesOf(careful, contractId)).map(({ amount }) => decimal(amount)));
  expect(owed.toString()).toBe(`-${(await retailOfCdr(careful, 'BT-2')).price!.inclVat}`);
});

test('who holds odd CDRs back holds a second CDR of one charge back that names no Session, too, as none of OCPI 2.1.1 does', async () => {
  const { token, contractId } = await newDriver(careful, 'NO-SESSIONS');
  const unnamed = (id: string, more: Partial<Cdr> = {}) => ({ ...cdrOf(token, id, more), session_id: undefined }) as unknown as Cdr;
  await pushCdr(careful, unnamed('NS-1'));
  await pushCdr(careful, unnamed('NS-2'));
  await pushCdr(careful, unnamed('NS-3', { cdr_location: { ...cdr.cdr_location, id: 'ELSEWHERE' } }));
  const states = async () => (await Promise.all(['NS-1', 'NS-2', 'NS-3'].map((id) => retailOfCdr(careful, id)))).map(({ state }) => state);
  expect(await states(), 'another charge overlaps, and is booked').toEqual(['booked', 'held', 'booked']);
  const { findings } = await careful.bus.ask(getCdr, { party: bct, cdrId: 'NS-2' });
  expect(findings).toMatchObject([{ code: 'session-billed-twice', detail: 'the same charge was billed by CDR NS-1, which is not credited in full' }]);
  await pushCdr(careful, creditCdr(unnamed('NS-1'), cdr.last_updated));
  await expect.poll(states).toEqual(['booked', 'booked', 'booked']);
  await expect.poll(async () => (await linesOf(careful, contractId)).length).toBe(4);
});

test('who holds odd CDRs back holds one back for what else is wrong with it, also when the other CDR of its session is credited', async () => {
  const { token, contractId } = await newDriver(careful, 'REPLACED');
  const odds = { session_id: 'S-RP', ...odd };
  const first = cdrOf(token, 'RP-1', { session_id: 'S-RP' });
  await pushCdr(careful, first);
  await pushCdr(careful, cdrOf(token, 'RP-2', odds));
  await pushCdr(careful, creditCdr(first, cdr.last_updated));
  await pushCdr(careful, cdrOf(token, 'RP-3', { session_id: 'S-RP' }));
  expect((await retailOfCdr(careful, 'RP-2')).state, 'something else is wrong with it').toBe('held');
  expect((await retailOfCdr(careful, 'RP-3')).state, 'there is another one').toBe('held');
  await pushCdr(careful, creditCdr(cdrOf(token, 'RP-2', odds), cdr.last_updated));
  await expect.poll(async () => (await retailOfCdr(careful, 'RP-3')).state).toBe('booked');
  expect(await linesOf(careful, contractId)).toHaveLength(3);
});

test('who holds odd CDRs back never books one that its Credit CDR takes back', async () => {
  const { token, contractId } = await newDriver(careful, 'TAKEN-BACK');
  const body = cdrOf(token, 'T-1', odd);
  await pushCdr(careful, body);
  await pushCdr(careful, creditCdr(body, cdr.last_updated));
  expect((await retailOfCdr(careful, 'T-1')).state).toBe('none');
  expect(await linesOf(careful, contractId)).toEqual([]);
});

test('who holds odd CDRs back books no second CDR of a session while a part of the first still stands', async () => {
  const { token, contractId } = await newDriver(careful, 'PARTLY-BACK');
  const first = cdrOf(token, 'PB-1');
  const state = async () => (await retailOfCdr(careful, 'PB-2')).state;
  await pushCdr(careful, first);
  await pushCdr(careful, cdrOf(token, 'PB-2', { session_id: first.session_id! }));
  const part = (id: string, excl_vat: number): Cdr => ({ ...creditCdr(first, cdr.last_updated), id, total_cost: { excl_vat } });
  await expect.poll(state).toBe('held');
  await pushCdr(careful, part('PB-1-A', -1));
  await expect.poll(async () => (await linesOf(careful, contractId)).length).toBe(2);
  expect(await state()).toBe('held');
  // A cent is no matter.
  await pushCdr(careful, part('PB-1-B', -1.93));
  await expect.poll(state).toBe('booked');
  await expect.poll(() => owedFor(contractId, 'PB-2')).toBe('all of it and nothing else');
});

test('who holds odd CDRs back books no second CDR of a session while a credit of the first waits to be released', async () => {
  const { token, contractId } = await newDriver(careful, 'CREDIT-WAITS');
  const first = cdrOf(token, 'CW-1');
  const state = async (id: string) => (await retailOfCdr(careful, id)).state;
  await pushCdr(careful, first);
  await pushCdr(careful, cdrOf(token, 'CW-2', { session_id: first.session_id! }));
  const part = (id: string, excl_vat: number): Cdr => ({ ...creditCdr(first, cdr.last_updated), id, total_cost: { excl_vat } });
  await pushCdr(careful, part('CW-1-A', -1));
  await pushCdr(careful, part('CW-1-B', -2.94));
  expect(await state('CW-1-B')).toBe('held');
  expect(await state('CW-2')).toBe('held');
  await careful.bus.ask(releaseCharge, { party: bct, cdrId: 'CW-1-B' });
  await expect.poll(() => state('CW-2')).toBe('booked');
  await expect.poll(() => owedFor(contractId, 'CW-2')).toBe('all of it and nothing else');
});

test('who holds odd CDRs back books no second CDR of a session that comes while a credit of the first waits to be released', async () => {
  const { token, contractId } = await newDriver(careful, 'COMES-LATER');
  const first = cdrOf(token, 'CL-1');
  const states = async () => Promise.all(['CL-2', 'CL-3'].map(async (id) => (await retailOfCdr(careful, id)).state));
  const part = (id: string, excl_vat: number): Cdr => ({ ...creditCdr(first, cdr.last_updated), id, total_cost: { excl_vat } });
  for (const body of [first, part('CL-1-A', -1), part('CL-1-B', -2.94)]) await pushCdr(careful, body);
  await pushCdr(careful, cdrOf(token, 'CL-2', { session_id: first.session_id! }));
  await pushCdr(careful, cdrOf(token, 'CL-3'));
  expect(await states(), 'another session is none of it').toEqual(['held', 'booked']);
  await pushCdr(careful, creditCdr(cdrOf(token, 'CL-3'), cdr.last_updated));
  // What is left comes back by another one, before anybody looked at the one that waits.
  await pushCdr(careful, part('CL-1-C', -1.94));
  await expect.poll(states).toEqual(['booked', 'booked']);
  await expect.poll(() => owedFor(contractId, 'CL-2')).toBe('all of it and nothing else');
});

test('who holds odd CDRs back holds a second CDR back, too, that comes after a part of the first is credited', async () => {
  const { token } = await newDriver(careful, 'PART-FIRST');
  const first = cdrOf(token, 'PF-1');
  const part = (id: string, excl_vat: number): Cdr => ({ ...creditCdr(first, cdr.last_updated), id, total_cost: { excl_vat } });
  await pushCdr(careful, first);
  await pushCdr(careful, part('PF-1-A', -1));
  await pushCdr(careful, cdrOf(token, 'PF-2', { session_id: first.session_id! }));
  const state = async () => (await retailOfCdr(careful, 'PF-2')).state;
  await expect.poll(state).toBe('held');
  const { findings } = await careful.bus.ask(getCdr, { party: bct, cdrId: 'PF-2' });
  expect(findings.map(({ code }) => code)).toEqual(['session-billed-twice']);
  await pushCdr(careful, part('PF-1-B', -1.94));
  await expect.poll(state).toBe('booked');
  expect((await careful.bus.ask(getCdr, { party: bct, cdrId: 'PF-2' })).findings).toEqual([]);
});

test('who holds odd CDRs back books what is left of a second CDR, a part of which was credited while it was held', async () => {
  const { token, contractId } = await newDriver(careful, 'PART-OF-SECOND');
  const first = cdrOf(token, 'PS-1');
  const second = cdrOf(token, 'PS-2', { session_id: first.session_id! });
  for (const body of [first, second]) await pushCdr(careful, body);
  await pushCdr(careful, { ...creditCdr(second, cdr.last_updated), id: 'PS-2-A', total_cost: { excl_vat: -1 } });
  const state = async () => (await retailOfCdr(careful, 'PS-2')).state;
  await expect.poll(state).toBe('held');
  await pushCdr(careful, creditCdr(first, cdr.last_updated));
  await expect.poll(state).toBe('booked');
  // The first and its refund, the second and the part of it.
  await expect.poll(async () => (await linesOf(careful, contractId)).length).toBe(4);
});
