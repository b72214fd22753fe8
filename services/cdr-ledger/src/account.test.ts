import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given, Rejected, withRepeats } from '#decider';
import { instant } from '#time';
import { account, type AccountCommand, type AccountEvent, planAt } from './account.ts';

const at = '2022-02-01T18:00:00Z';
const about = { ledger: 'CA*CPK/accounts', accountId: 'a1', at };
const opened: AccountEvent = { type: 'AccountOpened', ...about, planId: 'plus', limits: { CAD: '100' } };
const open: AccountCommand = { type: 'OpenAccount', ...about, planId: 'plus', limits: { CAD: '100' } };
const pay = { type: 'BookPayment', commandId: 'p1', currency: 'CAD', amount: '20', at } as const;

describe('an account', () => {
  test('is opened once', () => {
    given(account).when(open).then(opened);
    given(account, opened).when({ ...open, planId: 'other' } as AccountCommand).thenNothing();
  });

  test('that is not open takes nothing', () => given(account).when(pay).thenRejected('unknown-account'));

  test('books a payment once, by its command', () => {
    const booked: AccountEvent = { ...about, type: 'PaymentBooked', commandId: 'p1', currency: 'CAD', amount: '20' };
    given(account, opened).when(pay).then(booked);
    given(account, opened, booked).when(pay).thenNothing();
  });

  test('has a limit for each currency, which can be taken away', () => {
    const set = { type: 'SetLimit', commandId: 'l1', currency: 'CAD', amount: '50', at } as const;
    const limited: AccountEvent = { ...about, type: 'LimitSet', commandId: 'l1', currency: 'CAD', amount: '50' };
    given(account, opened).when(set).then(limited);
    given(account, opened, limited).when({ ...set, commandId: 'l2', amount: undefined })
      .then({ ...about, type: 'LimitSet', commandId: 'l2', currency: 'CAD', amount: undefined });
  });

  test('follows the limits of the settings, but where somebody ordered another one for it', () => {
    const follow = (limits: Record<string, string>): AccountCommand => ({ type: 'FollowLimits', limits, at });
    const followed = (currency: string, amount?: string): AccountEvent => ({ ...about, type: 'LimitSet', currency, amount, by: 'settings' });
    given(account, opened).when(follow({ CAD: '100' })).thenNothing();
    given(account, opened).when(follow({ CAD: '60', EUR: '40' })).then(followed('CAD', '60'), followed('EUR', '40'));
    given(account, opened, followed('CAD', '60')).when(follow({})).then(followed('CAD'));
    const ordered: AccountEvent = { ...about, type: 'LimitSet', currency: 'CAD', amount: '500' };
    given(account, opened, ordered).when(follow({ CAD: '60', EUR: '40' })).then(followed('EUR', '40'));
    given(account, opened, { ...ordered, amount: undefined }).when(follow({ CAD: '60' })).thenNothing();
  });

  test('that has the limit and the plan already is not given them again later by the same order', () => {
    const set = { type: 'SetLimit', commandId: 'l1', currency: 'CAD', amount: '100', at } as const;
    const choose = { type: 'ChoosePlan', commandId: 'c1', planId: 'plus', at } as const;
    const limited: AccountEvent = { ...about, type: 'LimitSet', commandId: 'l1', currency: 'CAD', amount: '100' };
    const chosen: AccountEvent = { ...about, type: 'PlanChosen', commandId: 'c1', planId: 'plus' };
    given(account, opened).when(set).then(limited);
    given(account, opened).when(choose).then(chosen);
    const since: AccountEvent[] = [
      { ...limited, commandId: 'l2', amount: '50' }, { ...chosen, commandId: 'c2', planId: 'flat' },
    ];
    given(account, opened, limited, chosen, ...since).when(set).thenNothing();
    given(account, opened, limited, chosen, ...since).when(choose).thenNothing();
  });

  test('is as it was after an order without an id that changes nothing', () => {
    given(account, opened).when({ type: 'SetLimit', currency: 'CAD', amount: '100', at }).thenNothing();
    given(account, opened).when({ type: 'ChoosePlan', planId: 'plus', at }).thenNothing();
  });

  test('tells when its credit is exhausted and when it is there again, each once', () => {
    const exhausted: AccountEvent = { ...about, type: 'CreditExhausted' };
    const note = (changes: number, is: boolean): AccountCommand => ({ type: 'NoteCredit', changes, exhausted: is, at });
    given(account, opened).when(note(0, false)).thenNothing();
    given(account, opened).when(note(0, true)).then(exhausted);
    given(account, opened, exhausted).when(note(1, true)).thenNothing();
    given(account, opened, exhausted).when(note(0, false)).thenNothing();
    given(account, opened, exhausted).when(note(1, false)).then({ ...about, type: 'CreditRestored' });
  });

  test('keeps the plan that a charge began with, however late the CDR comes', () => {
    const chosen: AccountEvent = { ...about, type: 'PlanChosen', commandId: 'c', planId: 'flat', at: '2022-03-01T00:00:00Z' };
    const state = fold(account, [opened, chosen]);
    expect(planAt(state, instant('2022-02-28T23:59:59Z'), instant)).toBe('plus');
    expect(planAt(state, instant('2022-03-01T00:00:00Z'), instant)).toBe('flat');
    expect(planAt(state, instant('2021-01-01T00:00:00Z'), instant)).toBe('plus');
  });
});

test('any command repeated at any later point yields no second event', () => {
  const command: fc.Arbitrary<AccountCommand> = fc.oneof(
    fc.constant(open),
    fc.constant<AccountCommand>({ type: 'FollowLimits', limits: { CAD: '7', EUR: '1' }, at }),
    fc.record({ n: fc.nat(4), planId: fc.constantFrom('plus', 'flat') }).map(
      ({ n, planId }): AccountCommand => ({ type: 'ChoosePlan', commandId: `c${n}${planId}`, planId, at })),
    fc.record({ n: fc.nat(4), amount: fc.constantFrom('1', '2', undefined) }).map(
      ({ n, amount }): AccountCommand => ({ type: 'SetLimit', commandId: `l${n}${amount}`, currency: 'CAD', amount, at })),
    fc.nat(6).map((n): AccountCommand => ({ ...pay, commandId: `p${n}` })),
    fc.record({ changes: fc.nat(5), exhausted: fc.boolean() }).map(
      ({ changes, exhausted }): AccountCommand => ({ type: 'NoteCredit', changes, exhausted, at })),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => void withRepeats(account, [open, ...commands])),
  );
});

test('a credit that was judged on an older account changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ changes: fc.nat(6), exhausted: fc.boolean() })), (judged) => {
      const log: AccountEvent[] = [opened];
      for (const each of judged) {
        const command: AccountCommand = { type: 'NoteCredit', ...each, at };
        const events = account.decide(command, fold(account, log));
        log.push(...events);
        if (events.length > 0) expect(account.decide(command, fold(account, log))).toEqual([]);
      }
      const turns = log.slice(1).map(({ type }) => type);
      expect(turns).toEqual(turns.map((_, n) => (n % 2 === 0 ? 'CreditExhausted' : 'CreditRestored')));
    }),
  );
});

test('nothing but Rejected comes out of an account that is not open', () => {
  const command: AccountCommand = { type: 'NoteCredit', changes: 0, exhausted: true, at };
  expect(() => account.decide(command, account.initial)).toThrow(Rejected);
});
