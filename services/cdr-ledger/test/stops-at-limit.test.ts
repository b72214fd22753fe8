import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { openDue } from '#due';
import { getOrder, orderStop } from '#contracts/sessions';
import { Rejected } from '#decider';
import { log } from '#telemetry';
import { freshPlatform, natsUrl } from '#test-servers';
import { fixedClock, instant } from '#time';
import { Running } from '../src/running.ts';
import { type TestLedger, testLedger } from './ledger.ts';

const accountId = '01890000-0000-7000-8000-000000000001';
const party = { country_code: 'CA', party_id: 'BCT' };

let there: TestLedger;
let bus: Bus;
let says: string;
let told: string[] = [];
let judged = 0;
let stops = 0;
let running: Running;

beforeAll(async () => {
  there = await testLedger();
  bus = await connectBus({ natsUrl: natsUrl(), platform: freshPlatform(), service: 'cdr-ledger' });
  await bus.answer(orderStop, async (orders) => orders.map(() => {
    stops += 1;
    return new Rejected(says);
  }));
  const never = async () => Promise.reject(new Error('not asked for'));
  running = new Running({
    bus, db: there.db, clock: fixedClock('2022-02-01T18:00:00Z'), parties: there.parties,
    log: log('cdr-ledger', { level: 'warn', write: (line) => void told.push((JSON.parse(line) as { level: string }).level) }),
    pricing: { price: never, priceBy: never, opened: never } as never, placeOf: never,
    judge: async () => void (judged += 1),
  });
  await there.db.query(
    `INSERT INTO running_charges (party, session_key, account_id, session_id, token_uid, currency, amount, active, updated_at, stop_ordered_at)
     VALUES ('CA*BCT', 's-1', $1, 'S-1', 'T', 'CAD', 30, true, now(), '2022-02-01T17:59:00Z')`, [accountId]);
  await there.db.query(`INSERT INTO account_balances (account_id, currency, balance, credit_limit) VALUES ($1, 'CAD', 5, 20)`, [accountId]);
});
afterAll(async () => {
  await bus?.close();
  await there?.close();
});

const stop = (attempt: number, again?: number) => running.kinds['stop-at-limit']!(
  { id: 'stop', key: 'stop', kind: 'stop-at-limit', at: 0, body: { accountId, party, sessionId: 'S-1', tokenUid: 'T', again } },
  attempt, { isHeld: () => true, insist: () => {} });

test.each(['internal', 'unanswered', 'overloaded'])('a stop at the limit that sessions answers with %s is ordered again, less and less often, and people are told once', async (code) => {
  [says, told] = [code, []];
  const pauses = [];
  for (const attempt of [1, 2, 3, 7, 9, 10, 11, 500]) pauses.push(await stop(attempt));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 60_000, 60_000, 60_000, 60_000, 60_000].map((retryInMs) => ({ retryInMs })));
  expect(told).toEqual(['error']);
  expect(judged).toBe(0);
});

test.each([
  ['failed', 'done', 1],
  ['refused', 'done', 1],
  ['unknown', { retryInMs: 4_000 }, 0],
  ['done', { retryAt: instant('2022-02-01T18:10:00Z') }, 0],
])('a charge whose stop at the limit is %s is looked at (%j) and ordered to stop again (%d times), while it runs', async (state, outcome, times) => {
  const body = { accountId, party, sessionId: 'S-1', tokenUid: 'T', again: ['failed', 'refused', 'unknown', 'done'].indexOf(state) * 10 };
  const asked: string[] = [];
  const answering = await bus.answer(getOrder, async (orders) => orders.map(({ orderId }) => {
    asked.push(orderId);
    return { order: { orderId, command: 'STOP_SESSION', state, party: { countryCode: 'CA', partyId: 'BCT' } } };
  }));
  const watch = () => running.kinds['watch-stop']!({ id: 'watch', key: 'watch', kind: 'watch-stop', at: 0, body }, 3, { isHeld: () => true, insist: () => {} });
  expect(await watch()).toEqual(outcome);
  const { rows } = await there.db.query<{ key: string }>(`SELECT key FROM due WHERE kind = 'stop-at-limit' AND body::json ->> 'again' = $1`, [String(body.again + 1)]);
  expect(rows).toHaveLength(times);
  if (times > 0) expect(await openDue(there.db, rows[0]!.key)).toMatchObject([{ body: { ...body, again: body.again + 1 } }]);
  expect(new Set(asked).size).toBe(1);
  await answering.stop();
});

test('a charge that is told to go on well after its stop was carried out is ordered to stop again', async () => {
  const answering = await bus.answer(getOrder, async (orders) => orders.map(({ orderId }) => (
    { order: { orderId, command: 'STOP_SESSION', state: 'done', party: { countryCode: 'CA', partyId: 'BCT' } } })));
  const body = { accountId, party, sessionId: 'S-1', again: 7, orderedAt: '2022-02-01T17:00:00Z' };
  const watch = (attempt: number) => running.kinds['watch-stop']!({ id: 'watch', key: 'watch', kind: 'watch-stop', at: 0, body }, attempt, { isHeld: () => true, insist: () => {} });
  const updated = (at: string) => there.db.query('UPDATE running_charges SET updated_at = $1', [at]);
  const again = async () => (await there.db.query(`SELECT FROM due WHERE kind = 'stop-at-limit' AND body::json ->> 'again' = '8'`)).rowCount;
  await updated('2022-02-01T17:04:00Z');
  expect([await watch(1), await watch(200), await again()]).toEqual([{ retryAt: instant('2022-02-01T18:10:00Z') }, 'done', 0]);
  await updated('2022-02-01T17:06:00Z');
  expect([await watch(3), await again()]).toEqual(['done', 1]);
  await answering.stop();
});

test('a driver who pays before the stop at the limit is ordered again goes on charging, until the charge is past the limit again', async () => {
  [says, stops] = ['unknown-session', 0];
  const balance = (amount: number) => there.db.query('UPDATE account_balances SET balance = $1', [amount]);
  await balance(50);
  expect(await stop(1, 1)).toEqual({ retryInMs: 60_000 });
  expect([stops, judged]).toEqual([0, 0]);
  expect(await running.wasStopped(party, 'S-1'), 'what is told to whoever paid').toBe(false);
  await balance(10);
  expect(await stop(2, 1)).toBe('done');
  expect([stops, judged]).toEqual([1, 1]);
  expect(await running.wasStopped(party, 'S-1')).toBe(true);
});

test('a charge whose driver paid, and that ended by itself, was not stopped at the limit', async () => {
  const [before, balance] = [[stops, judged], (amount: number) => there.db.query('UPDATE account_balances SET balance = $1', [amount])];
  await balance(50);
  expect(await stop(1, 2)).toEqual({ retryInMs: 60_000 });
  await there.db.query('UPDATE running_charges SET active = false');
  await balance(10);
  expect(await stop(2, 2)).toBe('done');
  expect([stops, judged]).toEqual([before[0], before[1]! + 1]);
  expect(await running.wasStopped(party, 'S-1')).toBe(false);
});

test('a charge that is over meanwhile is not ordered to stop again', async () => {
  says = 'internal';
  const before = judged;
  expect([await stop(20), judged]).toEqual(['done', before + 1]);
});
