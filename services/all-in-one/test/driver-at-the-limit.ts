import { decimal } from '#money';
import { expect, test } from 'vitest';
import type { Charge, Receipt } from '../../../scripts/portal.ts';
import { settledAt, stall } from './charge.ts';
import { casey, eventually, type Stage } from './stage.ts';

interface Account {
  readonly credit: string;
  readonly balances: readonly { readonly balance: string; readonly left?: string }[];
  readonly lines: readonly { readonly kind: string; readonly amount: string }[];
}

/** Without credit a driver is refused; one who reaches the limit is stopped, and gets one CDR and one line. */
export function driverAtTheLimit(stageOf: () => Stage): void {
  const { station, evseUid } = stall(9);
  const path = `/v1/operator/accounts/${casey.contractId}`;
  const place = { country_code: 'CA', party_id: 'BCT', location_id: 'BURNABY', evse_uid: evseUid };
  const limit = (amount: string) =>
    stageOf().plunk.operator.put<Account>(path, { plan: 'plus', limits: [{ currency: 'CAD', amount }] });
  const credit = (is: string) => eventually(`the credit is ${is}`, async () =>
    (await stageOf().plunk.operator.get<Account>(path)).credit === is);

  test('without credit no charge can be ordered, and who asks Carbon Plunk about the card hears NO_CREDIT', async () => {
    const stage = stageOf();
    await limit('0');
    await credit('exhausted');
    const driver = await stage.driver('casey');
    await eventually('the order is refused', () => driver.post('/v1/charges', place).then(
      () => false, (error: { status?: number; code?: string }) => error.status === 402 && error.code === 'no-credit'));
    const since = stage.chargers.events.length;
    await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 30 });
    await stage.chargers.do({ do: 'tap', station, idTag: casey.card });
    await stage.chargers.until({ event: 'authorized', station, status: 'Blocked' }, { since });
    await stage.chargers.do({ do: 'unplug', station });
  });

  test('a charge that reaches the limit is stopped, billed once, and booked once at the retail price', async () => {
    const stage = stageOf();
    await limit('1.50');
    await credit('there');
    const driver = await stage.driver('casey');
    await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 30 });
    const { charge_id: id } = await eventually('the order is taken', () =>
      driver.post<{ charge_id: string }>('/v1/charges', place).catch(() => false as const));
    const stopped = stage.chargers.until({ event: 'transaction-stopped', station, reason: 'Remote' });
    const seen: Charge[] = [];
    for await (const charge of driver.watch(id, AbortSignal.timeout(90_000))) seen.push(charge);
    await stopped;
    await stage.chargers.do({ do: 'unplug', station });
    expect(seen.at(-1)).toMatchObject({
      state: 'completed', message: 'The charge is over. The limit of your account is reached, so it was ordered to stop.',
    });
    const [settled] = await settledAt(stage, evseUid);
    const { cdr, session } = settled!;
    const stops = await stage.plunk.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM sessions.stops_ordered WHERE session_id = lower($1)`, [session.id]);
    expect(stops).toEqual([{ n: 1 }]);

    const receipt = await eventually('the receipt is there', async () =>
      (await driver.get<{ receipts: Receipt[] }>('/v1/receipts')).receipts.find(({ cdr_id }) => cdr_id === cdr.id));
    // 5 % and 0.50 on top, with the 5 % GST of British Columbia.
    const onTop = decimal(cdr.total_cost.excl_vat).mul(decimal('0.05')).add(decimal('0.50')).mul(decimal('1.05'));
    const retail = decimal(cdr.total_cost.incl_vat!).add(onTop).roundTo(2, 'half-away-from-zero').toFixed(2);
    expect(receipt.total).toMatchObject({ incl_vat: retail, currency: 'CAD' });
    const account = await driver.get<Account>('/v1/account');
    expect(account).toMatchObject({ lines: [{ kind: 'charge', amount: `-${retail}` }], balances: [{ balance: `-${retail}` }] });
    const whole = await driver.get<{ cdr: object; explanation: { text: string } }>(`/v1/receipts/CA/BCT/${cdr.id}`);
    expect(whole.cdr).not.toHaveProperty('total_cost');
    expect(whole.explanation.text).toContain('by your plan Plus');

    const paid = await stage.plunk.operator.post<Account>(`${path}/payments`, { currency: 'CAD', amount: '20.00' });
    expect(paid.balances).toMatchObject([{ balance: decimal('20').sub(decimal(retail)).toFixed(2) }]);
    await credit('there');
  });

  test('no partner hears of it: what Energy OASIS holds and was sent says nothing of the account', async () => {
    const { oasis } = stageOf();
    const [found] = await oasis.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM cdr_ledger.events WHERE data LIKE '%retail%' OR data LIKE '%ChargeBooked%'
       OR data LIKE '%account%'`);
    expect(found).toEqual({ n: 0 });
  });
}
