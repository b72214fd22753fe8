import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given } from '#decider';
import {
  type Order,
  type OrderCommand,
  orderDecider,
  type OrderEvent,
  type OrderStanding,
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
    ['failed', 'its charge begins', link, 'failed'],
  ])('%s, and %s', (before, _, command, next) => {
    const events = orderDecider.decide(command, fold(orderDecider, [placed, standing(before)]));
    expect(events.map((event) => event.order.state)).toEqual(next === undefined ? [] : [next]);
  });
  test('the charge that it led to is the first one that says so', () => {
    order(placed)
      .when(link)
      .then({ type: 'SessionLinked', order: stands('done', { sessionId: 'S1' }) });
    order(placed, standing('done', { sessionId: 'S1' }))
      .when({ type: 'LinkSession', sessionId: 'S2', at })
      .thenNothing();
  });
  test('nothing is said of an order that was never placed', () => {
    for (const command of [answer('ACCEPTED'), result('ACCEPTED'), unsent, giveUp, link])
      order().when(command).thenNothing();
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
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom<OrderCommand>(...all), { maxLength: 10 }), (commands) => {
      let state = orderDecider.initial;
      const caused: OrderCommand[] = [];
      for (const command of commands) {
        const events = orderDecider.decide(command, state);
        if (events.length > 0) caused.push(command);
        state = fold(orderDecider, events, state);
        for (const earlier of caused) expect(orderDecider.decide(earlier, state)).toEqual([]);
      }
    }),
    { numRuns: 300, seed: 20220201 },
  );
});
