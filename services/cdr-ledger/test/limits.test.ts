import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bookPayment, changeAccount, priceForDriver } from '#contracts/accounts';
import type { Token } from '#ocpi';
import { cdr, session } from './charge.ts';
import { balanceOf, bct, cdrOf, creditOf, newDriver, pushCdr, retailOfCdr, running, standingOf } from './drivers.ts';
import { type RetailPlatform, retailPlatform } from './retail-platform.ts';

let plunk: RetailPlatform;
beforeAll(async () => {
  plunk = await retailPlatform();
});
afterAll(() => plunk?.stop());

describe('at the limit', () => {
  const waiting = async () => (await plunk.ledgerDb.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).rowCount;

  test('credit that is exhausted is told once, and told again when a payment restores it', async () => {
    const { token, contractId } = await newDriver(plunk, 'BROKE');
    await pushCdr(plunk, cdrOf(token, 'BR-1', { total_cost: { excl_vat: 30, incl_vat: 31.5 } }));
    await expect.poll(() => creditOf(plunk, contractId)).toEqual([true]);
    await pushCdr(plunk, cdrOf(token, 'BR-2'));
    await expect.poll(async () => (await standingOf(plunk, contractId)).exhausted).toBe(true);
    await plunk.bus.ask(bookPayment, { contractId, currency: 'CAD', amount: '100' });
    await expect.poll(() => creditOf(plunk, contractId)).toEqual([true, false]);
    expect(await standingOf(plunk, contractId)).toMatchObject({ exhausted: false });
  });

  test('a charge that would pass what is left is stopped once, under one id, also after a restart and where sessions has too much to do', async () => {
    const { token, contractId } = await newDriver(plunk, 'RUNNING');
    const ofThis = () => plunk.stops.filter(({ sessionId }) => sessionId === 'RUN-1');
    const asked = { tokenUid: token.uid, party: bct, currency: 'CAD', energyKwh: '6', hours: '1', locationId: 'BURNABY' };
    const price = () => plunk.bus.ask(priceForDriver, {
      ...asked, exclVat: '6', inclVat: '6.3', startedAt: session.start_date_time, sessionId: 'RUN-1',
    });
    await plunk.sessionMoves(running(token, 'RUN-1', 6, '2022-02-01T17:20:00Z'));
    // 6.3 and 0.8 × 1.05
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('12.86');
    expect(await price()).toMatchObject({ limitReached: false, price: { inclVat: '7.14', passesThrough: false } });
    // 12.6 and 1.155: as much again would be past 20.
    plunk.stopRefusals.push('overloaded', 'too-late');
    await plunk.sessionMoves(running(token, 'RUN-1', 12, '2022-02-01T17:40:00Z'));
    await expect.poll(() => ofThis().length).toBeGreaterThan(0);
    expect(ofThis()[0]).toMatchObject({ tokenUid: token.uid, party: bct, orderId: expect.stringMatching(/^limit-[0-9a-f]{30}$/) });
    expect(await price()).toMatchObject({ limitReached: true });
    await plunk.restart();
    await plunk.sessionMoves(running(token, 'RUN-1', 18, '2022-02-01T18:00:00Z'));
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('-0.37');
    await expect.poll(async () => (await standingOf(plunk, contractId)).exhausted).toBe(true);
    expect(new Set(ofThis().map(({ orderId }) => orderId)).size).toBe(1);
  });

  test('a charge is never counted twice, as running and as billed', async () => {
    const { token, contractId } = await newDriver(plunk, 'COUNTED-ONCE');
    await plunk.sessionMoves({ ...running(token, 'CO-1', 12, '2022-02-01T18:20:00Z'), status: 'COMPLETED' });
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('6.24');
    const holding = await plunk.ledgerDb.connect();
    onTestFinished(() => holding.release(true));
    await holding.query('BEGIN');
    await holding.query(`SELECT FROM running_charges WHERE session_key = 'co-1' FOR UPDATE`);
    await pushCdr(plunk, cdrOf(token, 'CO-1-1', { session_id: 'CO-1', total_cost: { excl_vat: 12, incl_vat: 12.6 } }));
    await expect.poll(waiting).toBeGreaterThan(0);
    expect((await plunk.accountEntries()).filter((text) => text.includes('CO-1-1'))).toEqual([]);
    await holding.query('COMMIT');
    expect((await retailOfCdr(plunk, 'CO-1-1')).state).toBe('booked');
    expect(await balanceOf(plunk, contractId)).toMatchObject({ balance: '-13.76', left: '6.24' });
  });

  test('a driver who was judged by what is overtaken is judged again', async () => {
    const { token, contractId } = await newDriver(plunk, 'OVERTAKEN-CREDIT');
    const judged = async () => (await plunk.ledgerDb.query(
      `SELECT FROM due WHERE kind = 'judge-credit' AND id LIKE '% oc-1 INVALID %' AND done_at IS NOT NULL`)).rowCount;
    const holding = await plunk.ledgerDb.connect();
    onTestFinished(() => holding.release(true));
    const appends = `x'65766e7400000000'::bigint + 'events'::regclass::oid::bigint`;
    await holding.query(`SELECT pg_advisory_lock(${appends})`);
    await plunk.sessionMoves({ ...running(token, 'OC-1', 30, '2022-02-01T18:20:00Z'), status: 'COMPLETED' });
    await expect.poll(waiting).toBeGreaterThan(0);
    await plunk.sessionMoves({ ...running(token, 'OC-1', 30, '2022-02-01T18:21:00Z'), status: 'INVALID' });
    await expect.poll(judged).toBe(1);
    await holding.query(`SELECT pg_advisory_unlock(${appends})`);
    await expect.poll(() => creditOf(plunk, contractId)).toEqual([true, false]);
    expect(await standingOf(plunk, contractId)).toMatchObject({ exhausted: false });
  });

  test('two charges at once share what is left; a lower limit stops what runs', async () => {
    const { token, contractId } = await newDriver(plunk, 'TWICE');
    await plunk.sessionMoves(running(token, 'TW-1', 4, '2022-02-01T17:20:00Z'));
    await plunk.sessionMoves(running(token, 'TW-2', 4, '2022-02-01T17:20:00Z'));
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('10.12');
    expect(plunk.stops.filter(({ tokenUid }) => tokenUid === token.uid)).toEqual([]);
    await plunk.bus.ask(changeAccount, { contractId, limits: [{ currency: 'CAD', amount: '5' }] });
    const stopped = () => new Set(plunk.stops.filter(({ tokenUid }) => tokenUid === token.uid).map(({ sessionId }) => sessionId));
    await expect.poll(stopped).toEqual(new Set(['TW-1', 'TW-2']));
    await expect.poll(() => creditOf(plunk, contractId)).toEqual([true]);
  });

  test('a charge that is billed counts once: on the account', async () => {
    const { token, contractId } = await newDriver(plunk, 'BILLED');
    await pushCdr(plunk, cdrOf(token, 'BI-1'));
    await retailOfCdr(plunk, 'BI-1');
    await plunk.sessionMoves({ ...running(token, 'S-BI-1', 3, '2022-02-01T18:20:00Z'), status: 'COMPLETED' });
    await plunk.sessionMoves(running(token, 'BI-2', 1, '2022-02-01T18:21:00Z'));
    // 20 − 3.77, and 1.05 + 0.55 × 1.05 of what runs.
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('14.6');
  });

  test('a charge whose CDR names no Session, as OCPI 2.1.1 has none, counts once, whichever of the two comes first', async () => {
    const unnamed = (token: Token, id: string) =>
      pushCdr(plunk, { ...cdrOf(token, id, { total_cost: { excl_vat: 12, incl_vat: 12.6 } }), session_id: undefined });
    const reservation = (token: Token, id: string) => pushCdr(plunk, { ...cdrOf(token, id, {
      total_cost: { excl_vat: 0, incl_vat: 0 }, total_energy: 0, charging_periods: [{ start_date_time: cdr.start_date_time, dimensions: [{ type: 'RESERVATION_TIME', volume: 1 }] }],
    }), session_id: undefined });
    const over = (token: Token, id: string) => ({ ...running(token, id, 12, '2022-02-01T18:20:00Z'), status: 'COMPLETED' as const });
    const { token, contractId } = await newDriver(plunk, 'NO-SESSION');
    await plunk.sessionMoves(over(token, 'NS-1'));
    await plunk.sessionMoves({ ...running(token, 'NS-2', 1, '2022-02-01T18:21:00Z'), start_date_time: '2022-02-01T18:20:30Z' });
    await reservation(token, 'NS-0-R');
    expect((await retailOfCdr(plunk, 'NS-0-R')).state).toBe('booked');
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('4.61');
    await unnamed(token, 'NS-1-C1');
    expect((await retailOfCdr(plunk, 'NS-1-C1')).state).toBe('booked');
    expect(await balanceOf(plunk, contractId), 'the other charge counts on').toMatchObject({ balance: '-13.76', left: '4.61' });
    const { token: other, contractId: otherId } = await newDriver(plunk, 'NO-SESSION-YET');
    await unnamed(other, 'NY-1-C1');
    expect((await retailOfCdr(plunk, 'NY-1-C1')).state).toBe('booked');
    await plunk.sessionMoves(over(other, 'NY-1'));
    await plunk.sessionMoves({ ...running(other, 'NY-2', 1, '2022-02-01T18:21:00Z'), start_date_time: '2022-02-01T18:20:30Z' });
    await expect.poll(async () => (await balanceOf(plunk, otherId)).left).toBe('4.61');
  });

  test('a charge counts once, too, whose Session is heard of before its CDR, that names none, is in the list', async () => {
    const { token, contractId } = await newDriver(plunk, 'LIST-BEHIND');
    const holding = await plunk.ledgerDb.connect();
    onTestFinished(() => holding.release(true));
    await holding.query('BEGIN; LOCK TABLE cdrs IN SHARE MODE');
    await pushCdr(plunk, { ...cdrOf(token, 'LB-1-C1', { total_cost: { excl_vat: 12, incl_vat: 12.6 } }), session_id: undefined });
    await expect.poll(waiting).toBe(1);
    await plunk.sessionMoves({ ...running(token, 'LB-1', 12, '2022-02-01T18:20:00Z'), status: 'COMPLETED' });
    await expect.poll(async () => (await plunk.ledgerDb.query(`SELECT FROM running_charges WHERE session_key = 'lb-1'`)).rowCount).toBe(1);
    await holding.query('COMMIT');
    await expect.poll(async () => (await balanceOf(plunk, contractId))).toMatchObject({ balance: '-13.76', left: '6.24' });
  });

  test('a charge of no energy counts once, too, where its CDR names no Session', async () => {
    const session = (token: Token) => plunk.sessionMoves({ ...running(token, `NE-${token.uid}`, 5, '2022-02-01T18:20:00Z'), kwh: 0, status: 'COMPLETED' });
    const parked = { start_date_time: cdr.start_date_time, dimensions: [{ type: 'ENERGY' as const, volume: 0 }, { type: 'PARKING_TIME' as const, volume: 1.3333 }] };
    const billed = (token: Token) => pushCdr(plunk, {
      ...cdrOf(token, `NE-${token.uid}-1`, { total_cost: { excl_vat: 5, incl_vat: 5.25 }, total_energy: 0, charging_periods: [parked] }), session_id: undefined });
    const { token, contractId } = await newDriver(plunk, 'NO-ENERGY');
    await session(token);
    // 5.25 and 0.75 × 1.05
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('13.96');
    await billed(token);
    await expect.poll(() => balanceOf(plunk, contractId)).toMatchObject({ balance: '-6.04', left: '13.96' });
    const { token: other, contractId: otherId } = await newDriver(plunk, 'NO-ENERGY-FIRST');
    await billed(other);
    expect((await retailOfCdr(plunk, `NE-${other.uid}-1`)).state).toBe('booked');
    await session(other);
    await plunk.sessionMoves({ ...running(other, 'NE-NEXT', 1, '2022-02-01T18:21:00Z'), start_date_time: '2022-02-01T18:20:30Z' });
    await expect.poll(async () => (await balanceOf(plunk, otherId)).left).toBe('12.33');
  });

  test('of two charges that one card began within five minutes, a CDR that names no Session ends the count of its own alone', async () => {
    const { token, contractId } = await newDriver(plunk, 'TWO-AT-ONCE');
    const second = (exclVat: number, at: string) => ({ ...running(token, 'TO-2', exclVat, at), start_date_time: '2022-02-01T17:02:00Z' });
    await plunk.sessionMoves({ ...running(token, 'TO-1', 12, '2022-02-01T18:20:00Z'), status: 'COMPLETED' as const });
    await plunk.sessionMoves(second(1, '2022-02-01T18:20:00Z'));
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('4.61');
    await pushCdr(plunk, { ...cdrOf(token, 'TO-1-C1', { total_cost: { excl_vat: 12, incl_vat: 12.6 } }), session_id: undefined });
    expect((await retailOfCdr(plunk, 'TO-1-C1')).state).toBe('booked');
    await plunk.sessionMoves(second(2, '2022-02-01T18:21:00Z'));
    // 2.1 and 0.6 × 1.05 of what runs, instead of 1.05 and 0.55 × 1.05.
    await expect.poll(async () => (await balanceOf(plunk, contractId)).left).toBe('3.51');
  });
});


describe('as time goes by', () => {
  let late: RetailPlatform;
  beforeAll(async () => {
    late = await retailPlatform();
  });
  afterAll(() => late?.stop());

  test('a Session of another year takes nothing from what others run, and counts no longer than they do', async () => {
    const { token, contractId } = await newDriver(late, 'EARLIER');
    await late.sessionMoves(running(token, 'EA-1', 6, '2022-02-01T17:20:00Z'));
    await expect.poll(async () => (await balanceOf(late, contractId)).left).toBe('12.86');
    const { token: ahead, contractId: aheadId } = await newDriver(late, 'AHEAD');
    await late.sessionMoves(running(ahead, 'AH-1', 6, '2099-01-01T00:00:00Z'));
    await expect.poll(async () => (await balanceOf(late, aheadId)).left).toBe('12.86');
    expect((await balanceOf(late, contractId)).left).toBe('12.86');
    await late.restart('2022-02-09T18:30:00Z');
    expect((await balanceOf(late, aheadId)).left).toBe('20');
  });

  test('a charge that never led to a CDR keeps its driver from charging for a week, and no longer', async () => {
    const { token, contractId } = await newDriver(late, 'NEVER-BILLED');
    await late.sessionMoves({ ...running(token, 'NB-1', 30, '2022-02-09T18:20:00Z'), status: 'COMPLETED' });
    await expect.poll(() => creditOf(late, contractId)).toEqual([true]);
    await late.restart('2022-02-16T18:20:01Z');
    await expect.poll(() => creditOf(late, contractId)).toEqual([true, false]);
    expect(await standingOf(late, contractId)).toMatchObject({ exhausted: false });
  });
});
