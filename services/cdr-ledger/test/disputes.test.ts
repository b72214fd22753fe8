import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { correctCdr, getStatement, receiveCdr, verifyLedger } from '#contracts/cdr-ledger';
import {
  answerDispute,
  type Dispute,
  getDispute,
  listDisputes,
  openDispute,
  withdrawDispute,
} from '#contracts/disputes';
import { sessionEnded } from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { type Cdr, creditCdr } from '#ocpi';
import { openDatabase } from '#postgres';
import type { StatementNotes } from '#settlement';
import { instant } from '#time';
import { disputedOn } from '../src/projections/partner-month.ts';
import { carbonPlunk, cdr, location, oasis, session, tariff, token } from './charge.ts';
import { type LedgerPlatform, ledgerPlatform } from './platform.ts';

const bct = { countryCode: 'CA', partyId: 'BCT' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };

/** The CPO who issues, and the eMSP who receives. */
let issuer: LedgerPlatform;
let receiver: LedgerPlatform;

beforeAll(async () => {
  const emsp = {
    country_code: 'CA',
    party_id: 'CPK',
    name: 'Carbon Plunk',
    roles: ['EMSP'],
    currency: 'CAD',
  };
  receiver = await ledgerPlatform({ party: emsp }, '2022-02-01T18:22:00Z');
  issuer = await ledgerPlatform({}, '2022-02-01T18:21:00Z');
});
afterAll(async () => {
  await receiver?.stop();
  await issuer?.stop();
});

const receive = (body: unknown) => receiver.bus.ask(receiveCdr, { bodyJson: toJsonBytes(body) });

async function received(id: string, more: Partial<Cdr> = {}): Promise<Cdr> {
  const whole = { ...cdr, id, session_id: id, ...more };
  await receive(whole);
  return whole;
}

async function issued(sessionId: string): Promise<string> {
  const ended = { ...session, id: sessionId };
  await issuer.tellAsSessions(
    told(sessionEnded, {
      sessionId,
      tokenParty: cpk,
      sessionJson: toJsonBytes(ended),
      locationJson: toJsonBytes(location),
      tariffJson: toJsonBytes(tariff),
      tariffVersion: 1,
      tokenJson: toJsonBytes(token),
      energyWh: '6000',
    }),
  );
  await expect.poll(() => issuer.issued.map(({ cdrId }) => cdrId)).toContain(`${sessionId}-1`);
  return `${sessionId}-1`;
}

const open = (
  { bus }: LedgerPlatform,
  cdrId: string,
  more: { reason?: string; amount?: string; findings?: string[] } = {},
  commandId: string = crypto.randomUUID(),
) => bus.ask(openDispute, { party: bct, cdrId, reason: 'The car never charged', ...more }, { commandId });

const stateOf = async ({ bus }: LedgerPlatform, disputeId: string): Promise<Dispute> =>
  (await bus.ask(getDispute, { disputeId })).dispute!;

test('a received CDR is disputed for its findings, answered, and credited by the Credit CDR', async () => {
  const wrong = await received('D-1', { total_cost: { excl_vat: 29.4, incl_vat: 30.87 } });
  const { dispute } = await open(receiver, 'd-1');
  expect(dispute).toMatchObject({
    disputeId: 'CA*BCT*D-1*1',
    complainant: 'us',
    partner: bct,
    state: 'opened',
    findings: expect.arrayContaining(['price-differs']),
    currency: 'CAD',
    amount: '30.87',
    reason: 'The car never charged',
  });
  const { disputeId } = dispute!;
  const answer = { disputeId, accepted: true, answer: 'A decimal point; credited today' };
  expect((await receiver.bus.ask(answerDispute, answer)).dispute).toMatchObject({
    state: 'answered',
    accepted: true,
    answer: 'A decimal point; credited today',
  });
  await receive(creditCdr(wrong, '2022-02-01T18:30:00Z'));
  await expect.poll(async () => (await stateOf(receiver, disputeId)).state).toBe('credited');
  expect(await stateOf(receiver, disputeId)).toMatchObject({
    creditCdrId: 'D-1-C',
    closedAt: expect.stringMatching(/^2022-02-01T18:/),
  });
  await expect(open(receiver, 'D-1')).rejects.toMatchObject({ code: 'already-credited' });
});

test('a CDR of ours that a partner complains of is credited by our own correction', async () => {
  const cdrId = await issued('20220201-DISPUTED0001');
  const { dispute } = await open(issuer, cdrId, { amount: '1.00', findings: ['price-differs'] });
  expect(dispute).toMatchObject({ complainant: 'partner', partner: cpk, amount: '1.00' });
  await issuer.bus.ask(correctCdr, { cdrId, reason: 'agreed', withoutReplacement: true });
  const { disputeId } = dispute!;
  await expect.poll(async () => (await stateOf(issuer, disputeId)).state).toBe('credited');
});

test('the same order twice is one dispute, and another one over the same CDR is refused', async () => {
  await received('D-2');
  const { dispute } = await open(receiver, 'D-2', {}, 'order-of-d2');
  expect((await open(receiver, 'D-2', {}, 'order-of-d2')).dispute).toEqual(dispute);
  await expect(open(receiver, 'D-2')).rejects.toMatchObject({ code: 'dispute-is-open' });
});

test('a dispute is withdrawn, and may be followed by another', async () => {
  const [first, second] = ['CA*BCT*D-2*1', 'CA*BCT*D-2*2'];
  const withdraw = { disputeId: first, reason: 'The driver found the receipt' };
  expect((await receiver.bus.ask(withdrawDispute, withdraw)).dispute).toMatchObject({
    state: 'withdrawn',
    withdrawalReason: 'The driver found the receipt',
  });
  expect((await receiver.bus.ask(withdrawDispute, withdraw)).dispute?.state).toBe('withdrawn');
  await expect(
    receiver.bus.ask(answerDispute, { disputeId: first, accepted: false, answer: 'no' }),
  ).rejects.toMatchObject({ code: 'dispute-is-closed' });
  expect((await open(receiver, 'D-2')).dispute).toMatchObject({ disputeId: second, number: 2 });
});

test('disputes are listed newest first, by state and by partner', async () => {
  const ids = async (states: string[], partner = bct) =>
    (
      await receiver.bus.ask(listDisputes, { states, partner, offset: 0, limit: 10 })
    ).disputes.map(({ disputeId }) => disputeId);
  expect(await ids([])).toEqual(['CA*BCT*D-2*2', 'CA*BCT*D-2*1', 'CA*BCT*D-1*1']);
  expect(await ids(['opened', 'answered'])).toEqual(['CA*BCT*D-2*2']);
  expect(await ids([], cpk)).toEqual([]);
});

test.each<[string, string, { reason?: string; amount?: string; findings?: string[] }, string]>([
  ['a CDR that was never received', 'D-NEVER', {}, 'unknown-cdr'],
  ['more than the CDR charges', 'D-1-C', { amount: '31' }, 'invalid-object'],
  ['an amount that is no number', 'D-1-C', { amount: '1,50' }, 'invalid-object'],
  ['a finding that is no code', 'D-1-C', { findings: ['Too dear!'] }, 'invalid-object'],
  ['a reason of a book', 'D-1-C', { reason: 'x'.repeat(2_001) }, 'invalid-object'],
])('%s cannot be disputed, and leaves no trace', async (_, cdrId, more, code) => {
  const rows = async () =>
    (await receiver.ledgerDb.query('SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM private_parts) AS n')).rows;
  const before = await rows();
  await expect(open(receiver, cdrId, more)).rejects.toMatchObject({ code });
  expect(await rows()).toEqual(before);
});

test('a Credit CDR that came while the dispute was opened ends it, whichever was first', async () => {
  for (let n = 0; n < 5; n += 1) {
    const original = await received(`D-RACE-${n}`);
    const [opening] = await Promise.allSettled([
      open(receiver, original.id),
      receive(creditCdr(original, '2022-02-01T18:30:00Z')),
    ]);
    if (opening.status === 'rejected') {
      expect(opening.reason).toMatchObject({ code: 'already-credited' });
      continue;
    }
    const { disputeId } = opening.value.dispute!;
    await expect.poll(async () => (await stateOf(receiver, disputeId)).state).toBe('credited');
  }
});

test('what is left of a CDR that was credited in part is disputed, until the next credit of it, and again until all is credited', async () => {
  const original = await received('D-PART', { total_cost: { excl_vat: 3, incl_vat: 3.15 } });
  const creditPart = async (id: string) => {
    await receive({ ...creditCdr(original, '2022-02-01T18:30:00Z'), id, total_cost: { excl_vat: -1, incl_vat: -1.05 } });
    await listCaughtUp();
  };
  const listCaughtUp = () => receiver.bus.ask(listDisputes, { offset: 0, limit: 1 });
  await creditPart('D-PART-A');
  await expect(open(receiver, 'D-PART', { amount: '2.11' })).rejects.toMatchObject({ code: 'invalid-object' });
  const first = (await open(receiver, 'D-PART')).dispute!;
  expect(first).toMatchObject({ state: 'opened', amount: '2.10' });
  await receiver.ledgerDb.query(`UPDATE followed SET "position" = 0 WHERE follower = 'dispute-credits'`);
  await receiver.restart();
  await creditPart('D-PART-B');
  await expect.poll(() => stateOf(receiver, first.disputeId)).toMatchObject({ state: 'credited', creditCdrId: 'D-PART-B' });
  const second = (await open(receiver, 'D-PART', { amount: '0.50' })).dispute!;
  expect(second).toMatchObject({ number: 2, amount: '0.50', state: 'opened' });
  await creditPart('D-PART-C');
  await expect.poll(() => stateOf(receiver, second.disputeId)).toMatchObject({ state: 'credited', creditCdrId: 'D-PART-C' });
  await expect(open(receiver, 'D-PART')).rejects.toMatchObject({ code: 'already-credited' });
});

test('a month tells which of its CDRs are in doubt, as of an instant', async () => {
  const db = await openDatabase({ url: receiver.databaseUrl, schema: 'cdr_ledger', migrations: [] });
  try {
    const february = { month: '2022-02', from: instant('2022-02-01T08:00:00Z'), to: instant('2022-03-01T08:00:00Z') };
    const at = (time: string) => disputedOn(db, { own: carbonPlunk, partner: oasis, scope: february, now: instant(time), areOurs: false });
    const doubted = { issuer: 'CA*BCT', currency: 'CAD', cdrs: 1, amount: '3.09' };
    expect(await at('2022-03-01T08:00:00Z')).toEqual([doubted]);
    expect(await at('2022-02-01T18:00:00Z')).toEqual([]);
    const { notesJson, text } = await receiver.bus.ask(getStatement, { partner: bct, month: '2022-02' });
    expect(fromJsonBytes<StatementNotes>(notesJson).disputed).toEqual([doubted]);
    expect(text).toContain('In dispute, and on this statement until credited: 1 CDR of CA*BCT, 3.09 CAD');
  } finally {
    await db.close();
  }
});

test('disputes are entries of the chain, and erasing the contract leaves it whole', async () => {
  await receiver.ledgerDb.query('DELETE FROM private_parts');
  const { chains } = await receiver.bus.ask(verifyLedger, {});
  expect(chains).toMatchObject([{ chain: 'CA*CPK', intact: true }]);
  const dispute = await stateOf(receiver, 'CA*BCT*D-2*1');
  expect([dispute.state, dispute.reason]).toEqual(['withdrawn', undefined]);
});

test('the rows can be dropped and made anew', async () => {
  const rows = async () =>
    (await receiver.ledgerDb.query('SELECT * FROM disputes ORDER BY "position"')).rows;
  const before = await rows();
  await receiver.ledgerDb.query(
    `BEGIN; DELETE FROM disputes; UPDATE followed SET "position" = 0 WHERE follower IN ('dispute-list', 'dispute-credits'); COMMIT`,
  );
  await receiver.restart();
  await receiver.bus.ask(listDisputes, { offset: 0, limit: 1 });
  expect(await rows()).toEqual(before);
});

test('what is in doubt is said in the digits of its currency, as a statement says it', async () => {
  const doubted = async (id: string, changed: Partial<Cdr>, amount?: string) => {
    await received(id, { ...changed, total_cost: { excl_vat: 3.1 } });
    return (await open(receiver, id, amount === undefined ? {} : { amount })).dispute!.amount;
  };
  expect(await doubted('DIGITS-1', {})).toBe('3.10');
  expect(await doubted('DIGITS-2', {}, '1.5')).toBe('1.50');
  expect(await doubted('DIGITS-3', { currency: 'JPY' }, '3')).toBe('3');
  expect(await doubted('DIGITS-4', { currency: 'KWD' })).toBe('3.100');
  expect(await doubted('DIGITS-5', {}, '1.005'), 'not rounded').toBe('1.005');
});
