import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given, withRepeats } from '#decider';
import { exampleToken, type Token } from '#ocpi';
import { instant } from '#time';
import {
  hasExpired,
  isGivenAway,
  isInForce,
  type ReservationCommand,
  reservationDecider,
  type ReservationEnd,
  type ReservationEvent,
  type ReservationStart,
  type ReservationTerms,
} from './reservation.ts';

const at = '2022-02-01T17:00:00Z';
const card = (more: Partial<Token> = {}): Token => ({ ...exampleToken, uid: 'CARD-1', ...more });
const place = (n: number) => ({
  stationId: `OASIS-L2-0${n}`,
  stationConnector: 1,
  evseUid: `L2-0${n}`,
  connectorId: '1',
});
const terms = (orderId: string, more: Partial<ReservationTerms> = {}): ReservationTerms => ({
  orderId,
  from: 'partner',
  token: JSON.stringify(card()),
  expiresAt: '2022-02-01T17:30:00Z',
  reservationId: 'R1',
  locationId: 'BURNABY',
  operator: { country_code: 'CA', party_id: 'BCT' },
  place: place(1),
  ...more,
});
const ask = (orderId: string, more: Partial<ReservationTerms> = {}): ReservationCommand => ({
  type: 'AskReservation',
  terms: terms(orderId, more),
  at,
});
const make = (orderId: string): ReservationCommand => ({ type: 'MakeReservation', orderId, at });
const drop = (orderId: string, evseUid = 'L2-01'): ReservationCommand => ({
  type: 'DropAsked',
  orderId,
  evseUid,
  at,
});
const by = { stationId: 'OASIS-L2-01', transactionId: '7' };
const begins = (more: Partial<ReservationStart> = {}): ReservationStart => ({
  token: card(), connectorId: 1, startedAt: at, isNamed: false, graceMs: 10_000, ...more,
});
const use = (token = card(), used = by, more: Partial<ReservationStart> = {}): ReservationCommand => ({
  type: 'UseReservation',
  by: used,
  ...begins({ token, ...more }),
  at,
});
const end = (why: ReservationEnd): ReservationCommand => ({
  type: 'EndReservation',
  why,
  message: 'as it was',
  endedAt: at,
  at,
});

const asked = (orderId: string, more: Partial<ReservationTerms> = {}): ReservationEvent => ({
  type: 'ReservationAsked',
  terms: terms(orderId, more),
  at,
});
const made = (orderId: string): ReservationEvent => ({ type: 'ReservationMade', orderId, at });
const used: ReservationEvent = { type: 'ReservationUsed', by, at };
const ended = (why: ReservationEnd, orderId = 'O1'): ReservationEvent => ({
  type: 'ReservationEnded',
  orderId,
  from: 'partner',
  why,
  message: 'as it was',
  endedAt: at,
  at,
});
const reservation = (...past: ReservationEvent[]) => given(reservationDecider, ...past);
const held = [asked('O1'), made('O1')];

describe('a reservation', () => {
  test('holds once the station said yes', () => {
    reservation().when(ask('O1')).then(asked('O1'));
    reservation(asked('O1')).when(make('O1')).then(made('O1'));
    reservation().when(make('O1')).thenNothing();
    expect(isInForce(fold(reservationDecider, [asked('O1')]))).toBe(false);
    expect(isInForce(fold(reservationDecider, held))).toBe(true);
  });
  test('goes to the next EVSE where the first says no', () => {
    const dropped: ReservationEvent = { type: 'AskedDropped', orderId: 'O1', at };
    reservation(asked('O1')).when(drop('O1')).then(dropped);
    reservation(asked('O1'), dropped).when(ask('O1', { place: place(2) })).then(asked('O1', { place: place(2) }));
    reservation(asked('O1'), dropped).when(ask('O1')).thenNothing();
  });
  test('CMD-09 the same id again replaces what was asked for, and stays as it was where the station says no', () => {
    const later = { expiresAt: '2022-02-01T18:00:00Z' };
    const replaced = fold(reservationDecider, [...held, asked('O2', later), made('O2')]);
    expect(replaced.held).toMatchObject({ orderId: 'O2', ...later });
    const kept = fold(reservationDecider, [...held, asked('O2', later), { type: 'AskedDropped', orderId: 'O2', at }]);
    expect(kept.held).toMatchObject({ orderId: 'O1' });
    expect(isInForce(kept)).toBe(true);
  });
  test('CMD-10 the order that made it last is told when we take it away', () =>
    reservation(...held, asked('O2'), made('O2')).when(end('withdrawn')).then(ended('withdrawn', 'O2')));
  test('that is used, or over, neither ends nor is used nor asked for', () => {
    for (const last of [used, ended('expired')])
      for (const command of [end('cancelled'), use(), ask('O2'), make('O1')])
        reservation(...held, last).when(command).thenNothing();
  });
  test('ends only where it was made', () => reservation(asked('O1')).when(end('expired')).thenNothing());
  test('expires after its time, and what clocks may differ by', () => {
    const state = fold(reservationDecider, held);
    const expiryMs = instant('2022-02-01T17:30:00Z');
    expect(hasExpired(state, expiryMs, 10_000)).toBe(false);
    expect(hasExpired(state, expiryMs + 10_000, 10_000)).toBe(true);
  });
});

describe('S16-77 a reservation is used', () => {
  const group = { group_id: 'FLEET' };
  const ofGroup = { token: JSON.stringify(card(group)) };
  test.each<[string, Token, Partial<ReservationTerms>, boolean]>([
    ['by its card', card(), {}, true],
    ['by its card in other letters', card({ uid: 'card-1' }), {}, true],
    ['by no other card', card({ uid: 'CARD-2' }), {}, false],
    ['by no card of another owner', card({ party_id: 'XYZ' }), {}, false],
    ['by a card of its group', card({ uid: 'CARD-2', ...group }), ofGroup, true],
    ['by no card of another group', card({ uid: 'CARD-2', group_id: 'OTHERS' }), ofGroup, false],
    ['by no card without a group', card({ uid: 'CARD-2' }), ofGroup, false],
  ])('%s', (_how, token, more, may) => {
    const past = [asked('O1', more), made('O1')];
    if (may) reservation(...past).when(use(token)).then(used);
    else reservation(...past).when(use(token)).thenNothing();
  });
  test('at its own station alone', () =>
    reservation(...held).when(use(card(), { ...by, stationId: 'OASIS-L2-02' })).thenNothing());
  test.each<[string, Partial<ReservationStart>, boolean]>([
    ['in its time, and what clocks may differ by', { startedAt: '2022-02-01T17:30:09Z' }, true],
    ['not after its time, by a driver who came late to a station of which nobody had heard', { startedAt: '2022-02-01T17:30:10Z' }, false],
    ['by the clock of a station that is less than an hour behind', { startedAt: '2022-02-01T16:00:00Z' }, true],
    ['not by what a station kept from long before it was made', { startedAt: '2022-02-01T15:59:59Z' }, false],
    ['at another connector of its EVSE', { connectorId: 2 }, true],
    ['at no connector of another EVSE', { connectorId: 3 }, false],
    ['whenever and wherever the station names it', { startedAt: '2022-02-01T18:00:00Z', connectorId: 3, isNamed: true }, true],
  ])('%s', (_, start, may) => {
    const both = { place: { ...place(1), evseConnectors: [1, 2] } };
    const seen = reservation(asked('O1', both), made('O1')).when(use(card(), by, start));
    if (may) seen.then(used);
    else seen.thenNothing();
  });
  test('before the answer of the station is here', () => {
    reservation(asked('O1')).when(use()).then(used);
    reservation(asked('O1'), used).when(make('O1')).thenNothing();
  });
});

describe('S16-45 a reservation is given away where the station lets somebody else charge', () => {
  const isLost = (start: Partial<ReservationStart>, past = held, station = by.stationId) =>
    isGivenAway(fold(reservationDecider, past), station, begins({ token: card({ uid: 'CARD-2' }), ...start }));
  test('at its connector, in its time', () => {
    expect(isLost({})).toBe(true);
    expect(isLost({ startedAt: '2022-02-01T16:59:59Z' })).toBe(false);
    expect(isLost({ startedAt: '2022-02-01T17:30:00Z' })).toBe(false);
    expect(isLost({ connectorId: 2 })).toBe(false);
    expect(isLost({}, held, 'OASIS-L2-02')).toBe(false);
  });
  test('at another connector of its EVSE, of which one charges at a time', () => {
    const both = [asked('O1', { place: { ...place(1), evseConnectors: [1, 2] } }), made('O1')];
    expect(isLost({ connectorId: 2 }, both)).toBe(true);
    expect(isLost({ connectorId: 3 }, both)).toBe(false);
  });
  test('or by its number', () => expect(isLost({ connectorId: 2, isNamed: true })).toBe(true));
  test('while it holds', () => {
    expect(isLost({}, [asked('O1')])).toBe(false);
    expect(isLost({}, [...held, used])).toBe(false);
    expect(isLost({}, [...held, ended('expired')])).toBe(false);
  });
});

test('any command repeated at any later point yields no second event', () => {
  const all = [
    ask('O1'),
    ask('O2', { place: place(2) }),
    make('O1'),
    make('O2'),
    drop('O1'),
    drop('O2', 'L2-02'),
    use(),
    end('cancelled'),
    end('withdrawn'),
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom<ReservationCommand>(...all), { maxLength: 12 }), (commands) => void withRepeats(reservationDecider, commands)),
    { numRuns: 500, seed: 20220201 },
  );
});
