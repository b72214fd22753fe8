import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import { account, type AccountCommand, accountStream } from './account.ts';
import { type Follower, type Following, NotCaughtUp } from './follow.ts';
import { readEvent } from './ledger-event.ts';
import { balancesOf, isOfAccount, leftOf } from './projections/account-rows.ts';
import type { Recorder } from './record.ts';
import { judgeWhenForgotten, type Running, unbilledOf } from './running.ts';

export interface CreditParts {
  readonly db: Database;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly rows: Pick<Following, 'caughtUp' | 'position'>;
  readonly booking: Pick<Following, 'caughtUp'>;
}

/** Judges whether an account has anything left, in every currency that has a limit, and notes a change. */
export async function judgeCredit(parts: CreditParts, accountId: string): Promise<void> {
  // A charge that counts as running no more may be on its way to the account.
  await parts.booking.caughtUp();
  await parts.rows.caughtUp();
  await judge(parts, accountId);
}

async function judge({ db, recorder, clock }: CreditParts, accountId: string): Promise<void> {
  await recorder.record(accountStream(accountId), account, async ({ opened, changes }) => {
    if (!opened) return undefined;
    const unbilled = await unbilledOf(db, accountId, clock);
    const balances = await balancesOf(db, accountId);
    const exhausted = balances.some((balance) => {
      const left = leftOf(balance, unbilled.get(balance.currency)?.amount);
      return left !== undefined && (left.isZero() || left.isNegative());
    });
    if (exhausted) await judgeWhenForgotten(db, accountId, unbilled);
    const command: AccountCommand = { type: 'NoteCredit', changes, exhausted, at: clock.iso() };
    return { parts: [], command };
  });
}

const REACH_MS = 10_000;
const LOOK_AGAIN_MS = 20;

/** The rows need not have all of a log that grows, but what is judged on. Throws NotCaughtUp. */
async function reached(rows: CreditParts['rows'], position: bigint): Promise<void> {
  const deadline = performance.now() + REACH_MS;
  while ((await rows.position()) < position) {
    if (performance.now() > deadline) throw new NotCaughtUp(`account-rows is behind position ${position}`);
    await delay(LOOK_AGAIN_MS);
  }
}

/** Money, limits, and the turns of the credit itself: who judged may have been overtaken, and is judged after. */
const JUDGED: ReadonlySet<string> = new Set([
  'AccountOpened', 'LimitSet', 'PaymentBooked', 'ChargeBooked', 'ChargeRefunded', 'CreditExhausted', 'CreditRestored',
]);

/** Whenever money or a limit moves: may the driver go on, and does what runs have to stop? */
export function creditWatch(
  parts: CreditParts,
  { running, wake }: { readonly running: Running; wake(): void },
): Follower {
  return {
    name: 'account-credit',
    async apply(tx, events) {
      const moved = events.filter(({ type }) => JUDGED.has(type)).flatMap((stored) => {
        const event = readEvent(stored);
        return isOfAccount(event) ? [event.accountId] : [];
      });
      const accountIds = [...new Set(moved)].sort();
      if (accountIds.length > 0) await reached(parts.rows, events.at(-1)!.position);
      await Promise.all(accountIds.map((accountId) => judge(parts, accountId)));
      // After all waiting for the rows: whoever rebuilds them waits for this transaction.
      for (const accountId of accountIds) await running.stopOverLimit(tx, accountId);
      if (accountIds.length > 0) wake();
    },
  };
}
