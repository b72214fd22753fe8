import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { each, told } from '#bus';
import { readHead, type ReceiptProof, verifyExport, verifyReceipt } from '#chain';
import { getCdr, getStatement, listTokenCdrs, receiveCdr, verifyLedger } from '#contracts/cdr-ledger';
import { openDispute, withdrawDispute } from '#contracts/disputes';
import { getErasureHolder, noteForgotten, previewErasure } from '#contracts/erasure';
import { exportLedger, getHeads, getReceiptProof, rebuildProjection } from '#contracts/ledger';
import { cdrDelivered } from '#contracts/ocpi-gateway';
import { sessionEnded } from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Cdr } from '#ocpi';
import { cdr, location, session, tariff, token } from './charge.ts';
import { type LedgerPlatform, ledgerPlatform } from './platform.ts';

// What stands against forgetting a contract in the ledger, and what comes late of one that is forgotten.

const other = 'CA-CPK-TWICE-2';
const bct = { countryCode: 'CA', partyId: 'BCT' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };
const at = '2022-02-01T18:30:00Z';
const holder = { party: cpk, contractId: token.contract_id, tokenUids: [token.uid], visualNumbers: [], at };

/** Whom tokens-auth names: all erasures here mean one after the other. */
let erased: object = holder;
/** The CPO who issues, and the eMSP who receives. */
let issuer: LedgerPlatform;
let receiver: LedgerPlatform;

beforeAll(async () => {
  const emsp = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' };
  [issuer, receiver] = await Promise.all([
    ledgerPlatform({}, '2022-02-01T18:21:00Z'), ledgerPlatform({ party: emsp }, '2022-02-01T18:22:00Z'),
  ]);
  await receiver.bus.answer(getErasureHolder, (requests) => each(requests, async () => ({ holder: erased })));
});
afterAll(() => Promise.all([issuer?.stop(), receiver?.stop()]));

const look = ({ bus }: LedgerPlatform, sessionIds: string[] = []) => bus.ask(previewErasure('cdr-ledger'), { holder, sessionIds });
const codes = async (of: LedgerPlatform, sessionIds?: string[]) => (await look(of, sessionIds)).hindrances.map(({ code }) => code);
const receive = (body: unknown) => receiver.bus.ask(receiveCdr, { bodyJson: toJsonBytes(body) });
const found = async (cdrId: string) =>
  fromJsonBytes<Cdr>((await receiver.bus.ask(getCdr, { party: bct, cdrId })).cdrJson!);
const statement = async () => (await receiver.bus.ask(getStatement, { partner: bct, month: '2022-02' })).statementJson;

test('a session without its CDR, and a CDR that its payer has not acknowledged, stand against it', async () => {
  const sessionId = '20220201-ERASURE00001';
  expect(await codes(issuer, [sessionId])).toEqual(['session-not-billed']);
  await issuer.tellAsSessions(told(sessionEnded, {
    sessionId, tokenParty: cpk, sessionJson: toJsonBytes({ ...session, id: sessionId }), locationJson: toJsonBytes(location),
    tariffJson: toJsonBytes(tariff), tariffVersion: 1, tokenJson: toJsonBytes(token), energyWh: '6000',
  }));
  await expect.poll(() => codes(issuer, [sessionId])).toEqual(['cdr-not-acknowledged']);
  const delivered = { cdrId: `${sessionId}-1`, tokenParty: cpk, at, locationUrl: 'https://plunk.example/1' };
  await issuer.tellAsGateway(told(cdrDelivered, delivered));
  await expect.poll(() => codes(issuer, [sessionId])).toEqual([]);
  expect((await look(issuer)).kept).toMatchObject([
    { what: 'private parts of CDRs and disputes', count: 1n }, { what: 'CDRs', count: 1n },
  ]);
});

test('an open dispute stands against it', async () => {
  await receive({ ...cdr, id: 'E-1', session_id: 'E-1' });
  expect(await codes(receiver)).toEqual([]);
  const dispute = { party: bct, cdrId: 'E-1', reason: 'The car never charged' };
  await receiver.bus.ask(openDispute, dispute, { commandId: randomUUID() });
  expect(await codes(receiver)).toEqual(['dispute-open']);
});

test('a CDR that comes after its contract was erased is recorded and owed, and names nobody', async () => {
  const erasureId = randomUUID();
  const noted: string[] = [];
  erased = holder;
  await receiver.bus.answer(noteForgotten, (requests) => each(requests, async ({ service }) => {
    noted.push(service);
    return {};
  }));
  const before = await statement();
  await receiver.ledgerDb.query('INSERT INTO erasures (erasure_id, at) VALUES ($1, $2)', [erasureId, at]);
  await expect.poll(() => noted).toEqual(['cdr-ledger']);
  expect(await statement()).toEqual(before);

  const late = { ...cdr, id: 'E-2', session_id: 'E-2' };
  await receive(late);
  for (const id of ['E-1', 'E-2']) {
    expect(await found(id)).toMatchObject({ total_cost: cdr.total_cost, cdr_token: { uid: 'ERASED', contract_id: 'ERASED' } });
  }
  const { rows } = await receiver.ledgerDb.query('SELECT 1 FROM private_parts');
  expect(rows).toEqual([]);
  expect(Buffer.from(await statement()).equals(Buffer.from(before))).toBe(false);
  // Once more it is no news, and changed it is refused.
  await receive(late);
  await expect(receive({ ...late, total_energy: 7 })).rejects.toMatchObject({ code: 'cdr-differs-from-recorded' });

  // What began after the erasure is of whoever has the token now.
  const later = { ...cdr, id: 'E-3', session_id: 'E-3', start_date_time: '2022-02-01T18:31:00Z', end_date_time: '2022-02-01T19:31:00Z' };
  await receive(later);
  expect((await found('E-3')).cdr_token).toEqual(cdr.cdr_token);
  const { cdrsJson } = await receiver.bus.ask(listTokenCdrs, { tokenParty: cpk, tokenUid: token.uid, limit: 10 });
  expect(cdrsJson).toHaveLength(1);
  const { chains } = await receiver.bus.ask(verifyLedger, {});
  expect(chains.every(({ intact }) => intact)).toBe(true);
});

test('a receipt is proven as before when its holder is erased, but for whose it was', async () => {
  // The day ends, and is signed.
  await receiver.restart('2022-02-02T18:00:00Z');
  const signed = async () => (await receiver.bus.ask(getHeads, {})).heads.map(({ text }) => readHead(text)!.day);
  await expect.poll(signed).toContain('2022-02-01');
  const { keys } = await receiver.bus.ask(getHeads, {});
  const proof = async () =>
    fromJsonBytes<ReceiptProof>((await receiver.bus.ask(getReceiptProof, { party: bct, cdrId: 'E-3', withPrivate: true })).proofJson);
  const before = await proof();
  expect(before.private?.text).toContain(token.uid);

  const erasedAt = '2022-02-02T18:00:00Z';
  erased = { ...holder, at: erasedAt };
  await receiver.ledgerDb.query('INSERT INTO erasures (erasure_id, at) VALUES ($1, $2)', [randomUUID(), erasedAt]);
  await expect.poll(async () => (await found('E-3')).cdr_token.uid).toBe('ERASED');

  const { private: _, ...bare } = before;
  const after = await proof();
  expect(after).toEqual(bare);
  expect(JSON.stringify(after)).not.toContain(token.uid);
  // The one that the driver took home still holds, too, and both are of the ledger as it is exported now.
  const { lines, next } = await receiver.bus.ask(exportLedger, {});
  expect(next).toBe('');
  for (const receipt of [before, after]) {
    expect(verifyReceipt(receipt, keys)).toMatchObject({ ok: true, head: { day: '2022-02-01' } });
    expect(await verifyExport([Buffer.from(lines)], { keys, receipt })).toMatchObject({ damage: undefined, erased: 4 });
  }
});

test('a contract that has, or had, a token of the same uid keeps what names it, and what comes late of it', async () => {
  const [mine, theirs] = ['CA-CPK-NEXT-1', 'CA-CPK-FORMER-1'];
  const erasedAt = '2022-02-03T18:00:00Z';
  const named = (id: string, contract_id: string) =>
    receive({ ...cdr, id, session_id: id, cdr_token: { ...cdr.cdr_token, uid: 'SHARED', contract_id } });
  for (const when of ['EARLY', 'LATE']) {
    await named(`${when}-MINE`, mine);
    await named(`${when}-OTHERWISE`, 'NEXT1');
    await named(`${when}-THEIRS`, theirs.toLowerCase());
    if (when === 'LATE') break;
    const whom = { ...holder, contractId: mine, tokenUids: ['shared'], otherContractIds: [theirs], at: erasedAt };
    expect((await receiver.bus.ask(previewErasure('cdr-ledger'), { holder: whom, sessionIds: [] })).kept)
      .toMatchObject([{ count: 2n }, { count: 2n }]);
    erased = whom;
    await receiver.ledgerDb.query('INSERT INTO erasures (erasure_id, at) VALUES ($1, $2)', [randomUUID(), erasedAt]);
    await expect.poll(async () => (await found('EARLY-MINE')).cdr_token.uid).toBe('ERASED');
  }
  const ids = ['EARLY', 'LATE'].flatMap((when) => [`${when}-MINE`, `${when}-OTHERWISE`, `${when}-THEIRS`]);
  const contracts = await Promise.all(ids.map(async (id) => (await found(id)).cdr_token.contract_id));
  expect(contracts).toEqual(['ERASED', 'ERASED', theirs.toLowerCase(), 'ERASED', 'ERASED', theirs.toLowerCase()]);
});

test('which charges were of one card is forgotten with its contract, where they overlapped, as when the list is made anew', async () => {
  const whom = { ...holder, contractId: 'CA-CPK-TWICE-1', tokenUids: ['TWICE'], otherContractIds: [other], at: '2022-02-03T19:00:00Z' };
  const charged = (id: string, uid: string, contract_id: string, session_id = id) =>
    receive({ ...cdr, id, session_id, cdr_token: { ...cdr.cdr_token, uid, contract_id } });
  await charged('T-0', 'twice', other);
  await charged('T-1', 'TWICE', whom.contractId);
  await charged('T-2', 'TWICE', whom.contractId);
  await charged('T-3', 'TWICE', whom.contractId, 'T-2');
  await charged('T-4', 'TWICE', other);
  await charged('T-5', 'OTHER', other);
  await charged('T-6', 'OTHER', other);
  const ids = [0, 1, 2, 3, 4, 5, 6].map((n) => `T-${n}`);
  const findings = () => Promise.all(ids.map(async (cdrId) => (await receiver.bus.ask(getCdr, { party: bct, cdrId })).findings
    .map(({ code, detail }) => `${code} ${/ by CDR ([\w-]+)/.exec(detail)?.[1]}`)));
  const overlaps = (id: string) => [`overlaps-another-charge ${id}`];
  expect(await findings()).toEqual([
    [], overlaps('T-0'), overlaps('T-1'), ['session-billed-twice T-2'], overlaps('T-3'), [], overlaps('T-5'),
  ]);

  erased = whom;
  await receiver.ledgerDb.query('INSERT INTO erasures (erasure_id, at) VALUES ($1, $2)', [randomUUID(), whom.at]);
  await expect.poll(async () => (await found('T-3')).cdr_token.uid).toBe('ERASED');
  // What is left of the card's charges, under the contract that is not erased, still overlaps.
  const left = [[], [], [], [], overlaps('T-0'), [], overlaps('T-5')];
  expect(await findings()).toEqual(left);
  const { rows } = await receiver.ledgerDb.query(`SELECT FROM cdrs WHERE findings::text LIKE '%T-3%' OR findings::text LIKE '%T-1%'`);
  expect(rows).toEqual([]);
  await receiver.bus.ask(rebuildProjection, { name: 'cdr-list' });
  expect(await findings()).toEqual(left);
});

test('what is written of a CDR whose contract is erased goes with the contract ERASED of its party, once nothing is open', async () => {
  const { dispute } = await receiver.bus.ask(
    openDispute, { party: bct, cdrId: 'E-2', reason: 'Dana Q. says so by telephone' }, { commandId: randomUUID() });
  const whom = { ...holder, contractId: 'ERASED', tokenUids: [], at: '2022-02-04T18:00:00Z' };
  const standing = () => receiver.bus.ask(previewErasure('cdr-ledger'), { holder: whom, sessionIds: [] });
  expect(await standing()).toMatchObject({
    kept: [{ what: 'private parts of CDRs and disputes', count: 1n }], hindrances: [{ code: 'dispute-open' }],
  });
  await receiver.bus.ask(withdrawDispute, { disputeId: dispute!.disputeId, reason: 'Dana Q. was wrong' });
  expect((await standing()).hindrances).toEqual([]);

  erased = whom;
  await receiver.ledgerDb.query('INSERT INTO erasures (erasure_id, at) VALUES ($1, $2)', [randomUUID(), whom.at]);
  await expect.poll(async () => (await standing()).kept).toEqual([]);
  const { rows } = await receiver.ledgerDb.query(`SELECT FROM private_parts WHERE body LIKE '%Dana Q.%'`);
  expect(rows).toEqual([]);
  const { chains } = await receiver.bus.ask(verifyLedger, {});
  expect(chains.every(({ intact }) => intact)).toBe(true);
});
