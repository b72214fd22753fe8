import type { Sealed } from '#chain';
import { type Decider, Rejected } from '#decider';

/**
 * A driver's account: the stream `account-<id>`. The id is random and says nothing of the person;
 * whose it is lies in a row that can be deleted. The charges on it are streams of their own
 * (`charge.ts`): nothing about one of them depends on another, so neither has to know them all.
 * What people and banks order is remembered by its command id; there are few of those. So an order that
 * has one is in the log also where it changes nothing: come again after another, it changes nothing either.
 */

interface OfAccount {
  /** `<our party>/accounts`: a chain apart from the one that partners settle by. */
  readonly ledger: string;
  readonly accountId: string;
  readonly at: string;
}

export interface AccountOpened extends OfAccount {
  readonly type: 'AccountOpened';
  readonly planId: string;
  /** What may be owed, decimal text by currency; any amount in a currency that is not there. */
  readonly limits: Readonly<Record<string, string>>;
  /** Whose it is, until that is erased. */
  readonly private?: Sealed;
}

/** Holds for charges that begin at `at` or later. */
export interface PlanChosen extends OfAccount {
  readonly type: 'PlanChosen';
  readonly commandId?: string | undefined;
  readonly planId: string;
}

export interface LimitSet extends OfAccount {
  readonly type: 'LimitSet';
  readonly commandId?: string | undefined;
  readonly currency: string;
  /** Absent: any amount may be owed. */
  readonly amount?: string | undefined;
  /** Because the settings say so now; else somebody ordered it for this account, which then keeps it. */
  readonly by?: 'settings';
}

export interface PaymentBooked extends OfAccount {
  readonly type: 'PaymentBooked';
  readonly commandId: string;
  readonly currency: string;
  /** Decimal text; below zero: paid out. */
  readonly amount: string;
}

export interface CreditExhausted extends OfAccount {
  readonly type: 'CreditExhausted';
}

export interface CreditRestored extends OfAccount {
  readonly type: 'CreditRestored';
}

export type AccountEvent =
  | AccountOpened | PlanChosen | LimitSet | PaymentBooked | CreditExhausted | CreditRestored;

export interface OpenAccount extends OfAccount {
  readonly type: 'OpenAccount';
  readonly planId: string;
  readonly limits: Readonly<Record<string, string>>;
  readonly private?: Sealed;
}

interface Ordered {
  /** The same on every retry, where whoever orders has one. */
  readonly commandId?: string | undefined;
  readonly at: string;
}

export type AccountCommand =
  | OpenAccount
  | (Ordered & { readonly type: 'ChoosePlan'; readonly planId: string })
  | (Ordered & {
      readonly type: 'SetLimit';
      readonly currency: string;
      readonly amount?: string | undefined;
    })
  /** The settings' limits, for what nobody ordered otherwise for this account. */
  | { readonly type: 'FollowLimits'; readonly limits: Readonly<Record<string, string>>; readonly at: string }
  | (Ordered & {
      readonly type: 'BookPayment';
      readonly commandId: string;
      readonly currency: string;
      readonly amount: string;
    })
  /** Judged on the account as it was after so many changes of its credit; out of date after the next. */
  | {
      readonly type: 'NoteCredit';
      readonly changes: number;
      readonly exhausted: boolean;
      readonly at: string;
    };

export type AccountRefusal = 'unknown-account';

export interface AccountState {
  readonly opened: { readonly ledger: string; readonly accountId: string } | undefined;
  /** In the order in which they were chosen; a charge may come in long after the next choice. */
  readonly plans: readonly { readonly planId: string; readonly from: string }[];
  readonly limits: Readonly<Record<string, string>>;
  /** Currencies whose limit was ordered for this account. */
  readonly ordered: readonly string[];
  readonly done: Readonly<Record<string, true>>;
  readonly exhausted: boolean;
  readonly changes: number;
}

export function accountStream(accountId: string): string {
  return `account-${accountId}`;
}

export const account: Decider<AccountState, AccountCommand, AccountEvent> = {
  initial: { opened: undefined, plans: [], limits: {}, ordered: [], done: {}, exhausted: false, changes: 0 },

  decide(command, state) {
    if (command.type === 'OpenAccount')
      return state.opened ? [] : [{ ...command, type: 'AccountOpened' }];
    if (!state.opened) throw new Rejected<AccountRefusal>('unknown-account');
    if ('commandId' in command && command.commandId !== undefined && Object.hasOwn(state.done, command.commandId)) return [];
    const about = { ...state.opened, at: command.at };
    switch (command.type) {
      case 'ChoosePlan': {
        const { commandId, planId } = command;
        if (commandId === undefined && planId === state.plans.at(-1)?.planId) return [];
        return [{ type: 'PlanChosen', ...about, commandId, planId }];
      }
      case 'SetLimit': {
        const { commandId, currency, amount } = command;
        if (commandId === undefined && amount === state.limits[currency]) return [];
        return [{ type: 'LimitSet', ...about, commandId, currency, amount }];
      }
      case 'FollowLimits':
        return [...new Set([...Object.keys(state.limits), ...Object.keys(command.limits)])]
          .filter((currency) => !state.ordered.includes(currency) && command.limits[currency] !== state.limits[currency])
          .map((currency) => ({ type: 'LimitSet', ...about, currency, amount: command.limits[currency], by: 'settings' }));
      case 'BookPayment': {
        const { commandId, currency, amount } = command;
        return [{ type: 'PaymentBooked', ...about, commandId, currency, amount }];
      }
      case 'NoteCredit': {
        const isNews = command.changes === state.changes && command.exhausted !== state.exhausted;
        if (!isNews) return [];
        return [{ type: command.exhausted ? 'CreditExhausted' : 'CreditRestored', ...about }];
      }
    }
  },

  evolve(state, event) {
    const commandId = 'commandId' in event ? event.commandId : undefined;
    const done = commandId === undefined ? state.done : { ...state.done, [commandId]: true as const };
    switch (event.type) {
      case 'AccountOpened': {
        const { ledger, accountId, planId, limits } = event;
        // The first plan holds for what was charged before the account was opened, too.
        return { ...state, opened: { ledger, accountId }, plans: [{ planId, from: '' }], limits };
      }
      case 'PlanChosen':
        return { ...state, done, plans: [...state.plans, { planId: event.planId, from: event.at }] };
      case 'LimitSet':
        return {
          ...state, done, limits: limitsAfter(state.limits, event),
          ordered: event.by === 'settings' ? state.ordered : [...new Set([...state.ordered, event.currency])],
        };
      case 'PaymentBooked':
        return { ...state, done };
      case 'CreditExhausted':
        return { ...state, exhausted: true, changes: state.changes + 1 };
      case 'CreditRestored':
        return { ...state, exhausted: false, changes: state.changes + 1 };
    }
  },
};

function limitsAfter(
  limits: AccountState['limits'],
  { currency, amount }: LimitSet,
): AccountState['limits'] {
  const { [currency]: _, ...others } = limits;
  return amount === undefined ? others : { ...others, [currency]: amount };
}

/** The plan of a charge that began at an instant (epoch ms). */
export function planAt(
  { plans }: Pick<AccountState, 'plans'>,
  atMs: number,
  msOf: (text: string) => number,
): string {
  const chosen = plans.findLast(({ from }) => from === '' || msOf(from) <= atMs);
  return (chosen ?? plans[0])?.planId ?? '';
}
