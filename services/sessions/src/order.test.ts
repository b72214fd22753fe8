import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given, withRepeats } from '#decider';
import { instant } from '#time';
import {
  mayStayUntil,
  type Order,
  type OrderCommand,
  orderDecider,
  type OrderEvent,
  type OrderStanding,
  timeIsOver,
} from './order.ts';

const at = '2022-02-01T17:00:00Z';
const named = {
  orderId: 'O-1',
  command: 'START_SESSION',
  party: { country_code: 'CA', party_id: 'BCT' },
  tokenUid: 'APP-1',
} as const;
const body = {
  token: {},
  location_id: 'BURNABY',
  evse_uid: 'L2-01',
  authorization_reference: 'O-1',
};
const place = { type: 'PlaceOrder', order: named, body, at } as const satisfies OrderCommand;
const stands = (state: OrderStanding, more: Partial<Order> = {}): Order => ({
  ...named,
  state,
  result: '',
  message: '',
  at,
  ...more,
});
const placed: OrderEvent = { type: 'OrderPlaced', order: stands('sent'), body };
/** An order that stands so, however it came to that. */
const standing = (state: OrderStanding, more: Partial<Order> = {}): OrderEvent => ({
  type: 'OrderAnswered',
  order: stands(state, more),
});
const order = (...past: OrderEvent[]) => given(orderDecider, ...past);

const answer = (result: string): OrderCommand => ({
  type: 'NoteAnswer',
  accepted: result === 'ACCEPTED',
  result,
  message: '',
  at,
});
const result = (text: string): OrderCommand => ({
  type: 'NoteResult',
  result: text,
  message: '',
  at,
});
const unsent: OrderCommand = { type: 'NoteUnsent', message: 'down', at };
const giveUp: OrderCommand = { type: 'GiveUp', message: 'silence', at };
const link: OrderCommand = { type: 'LinkSession', sessionId: 'S1', at };
const over: OrderCommand = { type: 'NoteSessionOver', at };
const expire: OrderCommand = { type: 'ExpireOrder', message: 'nothing came', at };
/** An order to stop that stands so. */
const stopping = (state: OrderStanding): OrderEvent =>
  standing(state, { command: 'STOP_SESSION' });

test('an order is placed once', () => {
  order().when(place).then(placed);
  order(placed).when(place).thenNothing();
});

describe('how an order moves on', () => {
  test.each<[OrderStanding, string, OrderCommand, OrderStanding | undefined]>([
    ['sent', 'the CPO takes it', answer('ACCEPTED'), 'accepted'],
    ['sent', 'the CPO refuses it', answer('REJECTED'), 'refused'],
    ['sent', 'it never arrives', unsent, 'failed'],
    ['sent', 'nobody knows whether it arrived', giveUp, 'unknown'],
    ['sent', 'the result is faster than the answer', result('ACCEPTED'), 'done'],
    ['accepted', 'the station says yes', result('ACCEPTED'), 'done'],
    ['accepted', 'the station says no', result('REJECTED'), 'failed'],
    ['accepted', 'no result ever comes', giveUp, 'unknown'],
    ['unknown', 'the result comes late', result('TIMEOUT'), 'failed'],
    ['done', 'the answer comes after the result', answer('ACCEPTED'), undefined],
    ['done', 'a second result comes', result('REJECTED'), undefined],
    ['done', 'the timer runs out', giveUp, undefined],
    ['refused', 'a result comes all the same', result('ACCEPTED'), undefined],
    ['sent', 'its charge begins', link, 'done'],
    ['accepted', 'its charge begins', link, 'done'],
    ['unknown', 'its charge begins', link, 'done'],
    ['failed', 'its charge begins after it ran out of time', link, 'done'],
    ['done', 'no charge begins', expire, 'failed'],
    ['unknown', 'no charge begins', expire, 'failed'],
    ['sent', 'its time as an unknown one is over before it is one', expire, undefined],
    ['failed', 'its time is over once more', expire, undefined],
    ['done', 'another session is over', over, undefined],
  ])('%s, and %s', (before, _, command, next) => {
    const events = orderDecider.decide(command, fold(orderDecider, [placed, standing(before)]));
    expect(events.map((event) => event.order.state)).toEqual(next === undefined ? [] : [next]);
  });
  test.each<[OrderStanding, string, OrderCommand, OrderStanding | undefined]>([
    ['sent', 'the session is over', over, 'done'],
    ['accepted', 'the session is over', over, 'done'],
    ['unknown', 'the session is over', over, 'done'],
    ['failed', 'the session is over', over, undefined],
    ['refused', 'the session is over', over, undefined],
    ['unknown', 'the session goes on', expire, 'failed'],
    ['done', 'the session goes on', expire, undefined],
  ])('%s to stop, and %s', (before, _, command, next) => {
    const events = orderDecider.decide(command, fold(orderDecider, [placed, stopping(before)]));
    expect(events.map((event) => event.order.state)).toEqual(next === undefined ? [] : [next]);
  });
  test('a charge that begins although the CPO said no is linked, and the order stays failed', () => {
    const denied = { result: 'TIMEOUT' };
    order(placed, standing('failed', denied))
      .when(link)
      .then({ type: 'SessionLinked', order: stands('failed', { ...denied, sessionId: 'S1' }) });
  });
  test('an order whose charge began never runs out of time', () =>
    order(placed, standing('done', { sessionId: 'S1' })).when(expire).thenNothing());
  test('the charge that it led to is the first one that says so', () => {
    order(placed)
      .when(link)
      .then({ type: 'SessionLinked', order: stands('done', { sessionId: 'S1' }) });
    order(placed, standing('done', { sessionId: 'S1' }))
      .when({ type: 'LinkSession', sessionId: 'S2', at })
      .thenNothing();
  });
  test('nothing is said of an order that was never placed', () => {
    const all = [answer('ACCEPTED'), result('ACCEPTED'), unsent, giveUp, link, over, expire];
    for (const command of all) order().when(command).thenNothing();
  });
});

describe('how long an order may stay as it is', () => {
  const patience = { sentMs: 100_000, chargeMs: 300_000, unknownMs: 600_000 };
  const until = (one: Order) => {
    const untilMs = mayStayUntil(one, patience);
    return untilMs === undefined ? undefined : (untilMs - instant(at)) / 1_000;
  };
  test.each<[Order, number | undefined, string | undefined]>([
    [stands('sent'), 100, 'it may or may not have been sent'],
    [
      stands('accepted', { resultDueAt: '2022-02-01T17:00:50Z' }),
      50,
      'the operator never said what came of it',
    ],
    [stands('done'), 300, 'no charge began in time'],
    [stands('unknown', { message: 'silence' }), 600, 'silence, and no charge began'],
    [
      stands('unknown', { message: 'silence', command: 'STOP_SESSION' }),
      600,
      'silence, and the session goes on',
    ],
    [stands('done', { sessionId: 'S1' }), undefined, undefined],
    [stands('done', { command: 'STOP_SESSION' }), undefined, undefined],
    [stands('failed'), undefined, undefined],
    [stands('refused'), undefined, undefined],
  ])('%j: %s s, then: %s', (one, seconds, message) => {
    expect(until(one)).toBe(seconds);
    if (message === undefined) return;
    const command = timeIsOver(one, at);
    expect(command).toMatchObject({ message });
    expect(orderDecider.decide(command, { order: one })).toHaveLength(1);
  });
});

test('any command repeated at any later point yields no second event', () => {
  const all = [
    place,
    answer('ACCEPTED'),
    answer('REJECTED'),
    result('ACCEPTED'),
    result('TIMEOUT'),
    unsent,
    giveUp,
    link,
    over,
    expire,
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom<OrderCommand>(...all), { maxLength: 10 }), (commands) => void withRepeats(orderDecider, commands)),
    { numRuns: 300, seed: 20220201 },
  );
});
