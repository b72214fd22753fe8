import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given } from '#decider';
import { ERASED } from '#ocpi';
import { commandedCard, groupOf } from './commanded.ts';
import { stationDecider } from './station.ts';
import type { FrameCommand, StationCommand, StationEvent } from './station-events.ts';

const at = '2022-02-01T17:00:00Z';
const heardAt = '2022-02-02T00:00:00Z';
const connect = { type: 'Connect', at, version: 'ocpp1.6', connection: 'c1' } as const;
const connected = (epoch: number): StationEvent => ({ ...connect, type: 'Connected', epoch });
const whitelist = { status: 'Accepted', authMethod: 'WHITELIST', token: '{}' };
const start = (transactionId: number, changes: object = {}) => ({
  transactionId, connectorId: 1, idTag: '04A2', meterStartWh: '1000', saidAt: at, startedAt: at, authorization: whitelist, ...changes,
});
const startFrame = (transactionId: number, changes: object = {}, epoch = 1): FrameCommand =>
  ({ type: 'StartTransaction', epoch, heardAt, frame: `f${transactionId}`, start: start(transactionId, changes) });
const started = (transactionId: number, changes: object = {}): StationEvent =>
  ({ type: 'TransactionStarted', ...start(transactionId, changes) });
const stop = (transactionId: string, changes: object = {}) =>
  ({ transactionId, meterStopWh: '2000', stoppedAt: at, reason: 'Local', readings: [], ...changes });
const stopFrame = (transactionId: string, changes: object = {}): FrameCommand =>
  ({ type: 'StopTransaction', epoch: 1, heardAt, frame: 's', stop: stop(transactionId, changes) });
const stopped = (transactionId: string, changes: object = {}): StationEvent =>
  ({ type: 'TransactionStopped', connectorId: 1, ...stop(transactionId, changes) });
const meter = (energyWh: string, transactionId?: string): FrameCommand => ({
  type: 'ReadMeter',
  epoch: 1,
  heardAt,
  frame: `m${energyWh}`,
  connectorId: 1,
  transactionId,
  readings: [{ at, context: 'Sample.Periodic', energyWh }],
});
const order = { orderId: 'O1', connectorId: 1, idTag: '04A2', token: '{"uid":"04A2"}' };
const ordered: StationEvent = { type: 'StartOrdered', order, at };

const station = (...past: StationEvent[]) => given(stationDecider, connected(1), ...past);

describe('a socket', () => {
  test('that is new has the next epoch', () => station().when(connect).then(connected(2)));
  test('that was replaced is not heard any more', () =>
    station(connected(2)).when(startFrame(1)).thenRejected('socket-replaced'));
  test('that was replaced does not disconnect the newer one', () =>
    station(connected(2)).when({ type: 'Disconnect', epoch: 1, at, reason: 'closed' }).thenNothing());
});

describe('a transaction', () => {
  test('starts with the id that was drawn', () => station().when(startFrame(7)).then(started(7)));
  test('S16-44 started again is the same one, under another message id', () =>
    station(started(7)).when(startFrame(8)).thenNothing());
  test('S16-44 started again by a clock that nobody believes is the same one', () => {
    const unset = { saidAt: '1970-01-01T00:00:07Z' };
    station(started(7, unset)).when(startFrame(8, { ...unset, startedAt: '2022-02-01T17:00:30Z' })).thenNothing();
  });
  test('S16-44 started again is the same one, also when whose card it was is erased since', () =>
    station(started(7, { idTag: ERASED })).when(startFrame(8)).thenNothing());
  test('S16-44 started again is the same one, where the station read its meter anew or wrote its time otherwise', () => {
    station(started(7)).when(startFrame(8, { meterStartWh: '1003' })).thenNothing();
    station(started(7)).when(startFrame(8, { saidAt: '2022-02-01T10:00:00.000-07:00' })).thenNothing();
    station(started(7)).when(startFrame(8, { meterStartWh: '1003', connectorId: 2 })).then(started(8, { meterStartWh: '1003', connectorId: 2 }));
  });
  test('S16-08 that a station kept, and tells after the one that followed it on the connector, ends nothing', () => {
    const running = started(7, { saidAt: 'later', startedAt: '2022-02-01T18:00:00Z' });
    station(running).when(startFrame(8)).then(started(8));
    station(running, started(8)).when(stopFrame('8')).then(stopped('8'));
  });
  test('S16-44 that starts on a connector in use closes the one whose stop was lost, at its last known meter', () =>
    station(started(7)).when(startFrame(8, { saidAt: 'later', startedAt: '2022-02-01T18:00:00Z' })).then(
      stopped('7', { meterStopWh: '1000', isLastKnown: true, reason: 'Other', isAbandoned: true }),
      started(8, { saidAt: 'later', startedAt: '2022-02-01T18:00:00Z' }),
    ));
  test('S16-50 whose stop comes after all, once the next has begun, is in the journal with it, and ends as it was billed', () => {
    const lost = stopped('7', { meterStopWh: '1000', isLastKnown: true, reason: 'Other', isAbandoned: true });
    const came: StationEvent = { type: 'LostStopCame', transactionId: '7', meterStopWh: '2000', stoppedAt: at, reason: 'Local' };
    const past = [started(7), lost, started(8, { saidAt: 'later' })];
    station(...past).when(stopFrame('7')).then(came);
    station(...past, came).when(stopFrame('7')).thenNothing();
  });
  describe('S16-57 of which its station will not say that it stopped', () => {
    const gone: StationEvent = { type: 'Disconnected', epoch: 1, at, reason: 'gone' };
    const close = { type: 'CloseTransaction', transactionId: '7', because: 'it burned down', isUnknownThere: false } as const;
    const closed = stopped('7', { meterStopWh: '1000', isLastKnown: true, reason: 'Other', isAbandoned: true, closedBecause: 'it burned down' });
    test('is ended by the operator at its newest reading, once', () => {
      station(started(7), gone).when(close).then(closed);
      station(started(7), gone, closed).when(close).thenNothing();
    });
    test('is not while the station is connected, or is again, nor where it does not run', () => {
      station(started(7)).when(close).thenRejected('station-connected');
      station(started(7), gone, connected(2)).when(close).thenRejected('station-connected');
      station(started(7), stopped('7'), gone).when(close).thenRejected('unknown-transaction');
    });
    test('is, too, while the station is connected, where that does not know it', () =>
      station(started(7)).when({ ...close, isUnknownThere: true }).then(closed));
    test('may be told to have stopped after all: that is in the journal, and ends as it was billed', () =>
      station(started(7), gone, closed, connected(2)).when({ ...stopFrame('7'), epoch: 2 }).then({
        type: 'LostStopCame', transactionId: '7', meterStopWh: '2000', stoppedAt: at, reason: 'Local',
      }));
  });
  test('S16-44 of a station of forty connectors is known again as long as it runs', () => {
    const others = Array.from({ length: 39 }, (_, n) => started(8 + n, { connectorId: 2 + n, idTag: `04C${n}` }));
    station(started(7), ...others).when(startFrame(99)).thenNothing();
  });
  test('S16-41 of a card that may not charge is recorded all the same', () => {
    const refused = { authorization: { status: 'Invalid', authMethod: 'WHITELIST' } };
    station().when(startFrame(7, refused)).then(started(7, refused));
  });
  test('stops once', () => {
    station(started(7)).when(stopFrame('7')).then(stopped('7'));
    station(started(7), stopped('7')).when(stopFrame('7')).thenNothing();
  });
  test('S16-50 of which a second stop differs keeps the first', () =>
    station(started(7), stopped('7')).when(stopFrame('7', { meterStopWh: '9999' })).thenNothing());
  test('S16-54 whose stop says no register ends at the newest one that the station said', () => {
    const soon = '2022-02-01T17:10:00Z';
    const read = (energyWh: string, sampledAt: string) => [{ at: sampledAt, context: 'Sample.Periodic', energyWh }];
    const metered: StationEvent =
      { type: 'MeterRead', frame: 'm', connectorId: 1, transactionId: '7', readings: read('1100', soon) };
    const lacking = (changes: object = {}) => stopFrame('7', { meterStopWh: undefined, ...changes });
    station(started(7)).when(lacking()).then(stopped('7', { meterStopWh: '1000', isLastKnown: true }));
    station(started(7), metered).when(lacking()).then(stopped('7', { meterStopWh: '1100', isLastKnown: true }));
    for (const [readings, meterStopWh] of [[read('1200', soon), '1200'], [read('1050', at), '1100']] as const)
      station(started(7), metered).when(lacking({ readings })).then(stopped('7', { meterStopWh, isLastKnown: true, readings }));
    station(started(7)).when(stopFrame('-1', { meterStopWh: undefined }))
      .then(stopped('7', { meterStopWh: '1000', isLastKnown: true, frame: 's' }));
  });
  test('S16-49 that nobody knows is stopped without an event', () => station().when(stopFrame('99')).thenNothing());
  describe('S16-43 whose number the station never heard', () => {
    const late = '2022-02-01T17:30:00Z';
    const stopLate = (changes: object = {}) => stopFrame('-1', { stoppedAt: late, ...changes });
    const ended = (transactionId: string, changes: object = {}): StationEvent =>
      stopped(transactionId, { stoppedAt: late, frame: 's', ...changes });
    const read: StationEvent = {
      type: 'MeterRead', frame: 'm', connectorId: 1, transactionId: '7', readings: [{ at, context: 'Sample.Periodic', energyWh: '1100' }],
    };

    test('stops when the station says so', () => {
      station(started(7)).when(stopLate()).then(ended('7'));
      station(started(7), { ...read, isFound: true }).when(stopLate()).then(ended('7'));
    });
    test('stops once, also where the next one begins before it is said again', () => {
      station(started(7), ended('7')).when(stopLate()).thenNothing();
      station(started(7), ended('7'), started(8, { startedAt: late, meterStartWh: '2000' })).when(stopLate()).thenNothing();
    });
    test('stops once, also where it is said again under another message id, and where another had begun by then', () => {
      const other = started(8, { connectorId: 2, idTag: '04B3', startedAt: late });
      for (const changes of [{}, { meterStopWh: undefined }]) {
        const said = stationDecider.decide(stopLate(changes), fold(stationDecider, [connected(1), started(7)]));
        station(started(7), ...said, other).when({ ...stopLate(changes), frame: 't' }).thenNothing();
      }
      station(started(7), ended('7', { idTag: '04A2' }), other).when({ ...stopLate({ idTag: '04B3' }), frame: 't' })
        .then(ended('8', { connectorId: 2, idTag: '04B3', frame: 't' }));
    });
    test('is none that began later, has a higher register, or has been named by the station', () => {
      station(started(7, { startedAt: '2022-02-01T17:30:01Z' })).when(stopLate()).thenNothing();
      station(started(7)).when(stopLate({ meterStopWh: '999.9' })).thenNothing();
      station(started(7), read).when(stopLate()).thenNothing();
    });
    test('is of two the one of the card that stopped it; else it is not known which', () => {
      const other = started(8, { connectorId: 2, idTag: '04B3' });
      station(started(7), other).when(stopLate({ idTag: '04b3' })).then(ended('8', { connectorId: 2, idTag: '04b3' }));
      station(started(7), other).when(stopLate()).thenNothing();
      station(started(7), other, read).when(stopLate()).then(ended('8', { connectorId: 2 }));
    });
    test('is none of another card: its own start may never have come', () =>
      station(started(7)).when(stopLate({ idTag: '04B3' })).thenNothing());
  });
  test('ordered from afar is authorized by that order', () =>
    station(ordered).when(startFrame(7, { authorization: { status: 'Invalid', authMethod: 'WHITELIST' } })).then(started(7, {
      authorization: { status: 'Accepted', authMethod: 'COMMAND', token: '{"uid":"04A2"}', reference: undefined, orderId: 'O1' },
    })));
  test('by a card whose order the station refused is authorized as a card', () => {
    const dropped: StationEvent = { type: 'OrderDropped', orderId: 'O1', at };
    station(ordered).when({ type: 'DropOrder', epoch: 1, orderId: 'O1', at }).then(dropped);
    station(ordered, dropped).when({ type: 'DropOrder', epoch: 1, orderId: 'O1', at }).thenNothing();
    station(ordered, dropped).when(startFrame(7)).then(started(7));
  });
  test('is no order dropped by whoever holds a socket that was replaced: on the newer one the station may have said yes', () =>
    station(connected(2), ordered).when({ type: 'DropOrder', epoch: 1, orderId: 'O1', at }).thenNothing());
  test('by a card two hours after it was ordered and never began is authorized as a card', () =>
    station(ordered).when(startFrame(7, { startedAt: '2022-02-01T19:00:01Z' })).then(started(7, { startedAt: '2022-02-01T19:00:01Z' })));
  test('that a station kept since long before it was ordered for the card is none that was ordered', () => {
    const ofCard: StationEvent = { type: 'StartOrdered', at: '2022-02-01T18:00:01Z', order: { ...order, token: '{"uid":"04A2","type":"RFID"}' } };
    station(ofCard).when(startFrame(7)).then(started(7));
  });
  test('ordered from afar is authorized by its order, however many are ordered at a station of forty connectors', () => {
    const others = Array.from({ length: 39 }, (_, n): StationEvent =>
      ({ type: 'StartOrdered', at, order: { ...order, orderId: `P${n}`, connectorId: 2 + n, idTag: `04C${n}` } }));
    station(ordered, ...others).when(startFrame(7)).then(started(7, {
      authorization: { status: 'Accepted', authMethod: 'COMMAND', token: '{"uid":"04A2"}', reference: undefined, orderId: 'O1' },
    }));
  });
  test('by a card after the newer of two orders began is authorized as a card: the older one came to nothing', () => {
    const again: StationEvent = { type: 'StartOrdered', order: { ...order, orderId: 'O2' }, at };
    const byOrder = { authorization: { ...whitelist, authMethod: 'COMMAND', orderId: 'O2' } };
    const later = { saidAt: 'later', startedAt: '2022-02-01T17:30:00Z' };
    station(ordered, again, started(7, byOrder), stopped('7')).when(startFrame(8, later)).then(started(8, later));
  });
  test('by a card after the ordered one began is authorized as a card', () => {
    const byOrder = { authorization: { ...whitelist, authMethod: 'COMMAND', orderId: 'O1' } };
    station(ordered, started(7, byOrder), stopped('7')).when(startFrame(8, { saidAt: 'later', startedAt: '2022-02-01T19:00:00Z' }))
      .then(started(8, { saidAt: 'later', startedAt: '2022-02-01T19:00:00Z' }));
  });
});

describe('a meter reading', () => {
  test('S16-43 of a transaction that is not open is the connector\'s own', () =>
    station().when(meter('1100', '-1')).then({
      type: 'MeterRead', frame: 'm1100', connectorId: 1, readings: [{ at, context: 'Sample.Periodic', energyWh: '1100' }],
    }));
});

describe('S16-29: a meter reading without a transaction of its own', () => {
  const late = '2022-02-01T17:05:00Z';
  const readAt = (sampledAt: string, transactionId?: string, connectorId = 1): FrameCommand => ({
    ...{ type: 'ReadMeter', epoch: 1, heardAt, frame: 'm', connectorId, transactionId },
    readings: [{ at: sampledAt, context: 'Sample.Clock', energyWh: '1100' }],
  });
  const { epoch: _, heardAt: ___, transactionId: __, ...read } = readAt(late) as Extract<FrameCommand, { type: 'ReadMeter' }>;
  const own = { ...read, type: 'MeterRead' } satisfies StationEvent;
  test.each([undefined, '-1'])('is of the one that is open on its connector: %s', (named) => {
    station(started(7)).when(readAt(late, named)).then({ ...own, transactionId: '7', isFound: true });
    station(started(7)).when(readAt(late, '7')).then({ ...own, transactionId: '7' });
  });
  test('S16-29 that names the transaction of another connector is of the one on its own, where there is one', () => {
    const onTwo = started(8, { connectorId: 2, idTag: '04B3' });
    const read = { ...meter('1100', '7'), connectorId: 2 } as FrameCommand;
    const of = (transactionId: string, more: object = {}): StationEvent =>
      ({ type: 'MeterRead', frame: 'm1100', connectorId: 2, readings: [{ at, context: 'Sample.Periodic', energyWh: '1100' }], transactionId, ...more });
    station(started(7), onTwo).when(read).then(of('8', { isFound: true }));
    station(started(7)).when(read).then(of('7'));
  });
  test('is of none where it is older, of the main meter, or of another connector', () => {
    station(started(7, { startedAt: late })).when(readAt(at)).then({ ...own, readings: [{ ...own.readings[0]!, at }] });
    for (const connectorId of [0, 2]) station(started(7)).when(readAt(late, undefined, connectorId)).then({ ...own, connectorId });
    station(started(7)).when(readAt(late, '7', 0)).then({ ...own, connectorId: 0 });
    station(started(7), stopped('7')).when(readAt(late)).then(own);
    station(started(7)).when(readAt(late, '6')).then(own);
  });
  test('stands for its register where the stop is lost', () => {
    const next = { saidAt: 'later', startedAt: '2022-02-01T18:00:00Z' };
    station(started(7), { ...own, transactionId: '7' }).when(startFrame(8, next)).then(
      stopped('7', { meterStopWh: '1100', isLastKnown: true, stoppedAt: late, reason: 'Other', isAbandoned: true }), started(8, next),
    );
  });
  test('that a station kept while it was away stands for the register no more than a newer one that came before it', () => {
    const next = { saidAt: 'later', startedAt: '2022-02-01T18:00:00Z' };
    const kept = { ...own, frame: 'k', transactionId: '7', readings: [{ ...own.readings[0]!, at: '2022-02-01T17:02:00Z', energyWh: '1040' }] };
    station(started(7), { ...own, transactionId: '7' }, kept).when(startFrame(8, next)).then(
      stopped('7', { meterStopWh: '1100', isLastKnown: true, stoppedAt: late, reason: 'Other', isAbandoned: true }), started(8, next),
    );
  });
});

describe('what a meter signs', () => {
  const signed = [{ at, context: 'Transaction.Begin', encoding: 'OCMF', text: 'OCMF|{}|{}' }];
  const frame: FrameCommand = { type: 'ReadMeter', epoch: 1, heardAt, frame: 'm', connectorId: 1, transactionId: '7', readings: [], signed };
  const read: StationEvent = { type: 'MeterRead', frame: 'm', connectorId: 1, transactionId: '7', readings: [], signed };
  test('S16-31 is kept also where nothing else was read, once', () => {
    station(started(7)).when(frame).then(read);
    station(started(7), read).when(frame).thenNothing();
  });
});

describe('a status', () => {
  const status = { connectorId: 1, status: 'Available', errorCode: 'NoError', info: '', at };
  const notified: StationEvent = { ...status, type: 'StatusNotified', frame: '2 abc' };
  const notify = (epoch: number): FrameCommand => ({ type: 'NotifyStatus', epoch, heardAt, frame: '2 abc', status });

  test('J-47 said again under the same message id is no news', () => station(notified).when(notify(1)).thenNothing());
  test('in the same words and under the same message id on the next socket is news', () =>
    station(notified, connected(2)).when(notify(2)).then(notified));
});

describe('CMD-06: a card that a command named', () => {
  const command = (changes: object, token: object = {}): StationEvent => ({
    type: 'StartOrdered', at,
    order: { ...order, reference: 'REF-1', token: JSON.stringify({ type: 'RFID', whitelist: 'NEVER', ...token }), ...changes },
  });
  const later = { saidAt: 'later', startedAt: '2022-02-01T17:14:59Z' };
  const over = (token: object = {}): StationEvent[] => [
    command({}, token), started(7, { authorization: { ...whitelist, authMethod: 'COMMAND', orderId: 'O1' } }), stopped('7'),
  ];
  const authorizations = (events: readonly StationEvent[]) => events.flatMap((event) =>
    (event.type === 'TransactionStarted' ? [event.authorization] : []));
  const startedBy = (past: readonly StationEvent[], changes: object) => authorizations(stationDecider.decide(
    startFrame(8, { ...changes, authorization: { status: 'Invalid', authMethod: 'WHITELIST' } }),
    fold(stationDecider, [connected(1), ...past]),
  ));

  test('charges again within 15 minutes by that command, its owner not asked', () => {
    expect(startedBy(over(), later)).toMatchObject([{ status: 'Accepted', authMethod: 'COMMAND', reference: 'REF-1' }]);
    expect(startedBy(over(), { ...later, connectorId: 2 })).toMatchObject([{ status: 'Accepted' }]);
    expect(startedBy(over(), later)[0]).not.toHaveProperty('orderId');
  });
  test('is a card like any other after them, at another card, and where the station refused the command', () => {
    expect(startedBy(over(), { ...later, startedAt: '2022-02-01T17:15:01Z' })).toMatchObject([{ status: 'Invalid' }]);
    expect(startedBy(over(), { ...later, idTag: '04A3' })).toMatchObject([{ status: 'Invalid' }]);
    expect(startedBy([command({}), { type: 'OrderDropped', orderId: 'O1', at }], later)).toMatchObject([{ status: 'Invalid' }]);
  });
  test('is a card like any other where the station had kept its start since long before the command', () => {
    const kept = { saidAt: 'then', startedAt: '2022-02-01T15:59:59Z' };
    expect(startedBy([command({})], kept)).toMatchObject([{ status: 'Invalid' }]);
    expect(startedBy([command({})], { ...kept, connectorId: 2 })).toMatchObject([{ status: 'Invalid' }]);
  });
  test('charges by the list where its whitelist lets it; and an app by commands alone', () => {
    for (const token of [{ whitelist: 'ALLOWED' }, { whitelist: 'ALWAYS' }, { type: 'APP_USER' }, { type: 'AD_HOC_USER' }]) {
      expect(startedBy(over(token), later)).toMatchObject([{ status: 'Invalid' }]);
    }
  });
  test('may be shown at the station, whatever its type', () => {
    const state = fold(stationDecider, [connected(1), ...over({ type: 'APP_USER' })]);
    expect(commandedCard(state, { idTag: '04a2', startedAt: later.startedAt })).toMatchObject({ orderId: 'O1' });
    expect(commandedCard(state, { idTag: '04A2', startedAt: '2022-02-01T17:15:01Z' })).toBeUndefined();
  });
});

test.each([
  [{ group_id: 'FAMILY' }, 'FAMILY'],
  [{ group_id: 'A-GROUP-OF-MORE-THAN-TWENTY' }, expect.stringMatching(/^RW[0-9A-F]{18}$/)],
  [{}, undefined],
])('the group of a card is what a station can hold', (token, group) => {
  expect(groupOf({ status: 'Accepted', token: JSON.stringify(token) }).group).toEqual(group);
  expect(groupOf({ status: 'Blocked', token: JSON.stringify(token) })).toEqual({});
});

describe('an order of the site\'s owner', () => {
  test('is obeyed when its epoch is not older', () =>
    station().when({ type: 'ObeyOwner', ownerEpoch: 3, at }).then({ type: 'OwnerObeyed', ownerEpoch: 3, at }));
  test('is refused when a newer owner was obeyed', () =>
    station({ type: 'OwnerObeyed', ownerEpoch: 3, at }).when({ type: 'ObeyOwner', ownerEpoch: 2, at }).thenRejected('owner-replaced'));
});

test('J-47 any frame repeated, at once or later, yields no second event', () => {
  const frames = fc.array(fc.oneof(
    fc.integer({ min: 1, max: 4 }).map((n) => startFrame(n, { saidAt: `start ${n}`, connectorId: (n % 2) + 1 })),
    fc.integer({ min: 1, max: 4 }).map((n) => stopFrame(String(n))),
    fc.integer({ min: 1, max: 4 }).map((n): FrameCommand => ({ ...stopFrame('-1', { meterStopWh: `${n}000` }), frame: `s${n}` })),
    fc.integer({ min: 1, max: 9 }).map((n) => meter(String(n * 100), String((n % 4) + 1))),
  ), { minLength: 1, maxLength: 20 });
  fc.assert(fc.property(frames, (all) => {
    let state = fold(stationDecider, [connected(1)]);
    const seen: StationCommand[] = [];
    for (const frame of all) {
      const events = stationDecider.decide(frame, state);
      state = fold(stationDecider, events, state);
      // A stop may come before its start; it then counted for nothing, and counts when it is sent again.
      if (frame.type !== 'StopTransaction' || events.length > 0) seen.push(frame);
      for (const earlier of seen) expect(stationDecider.decide(earlier, state)).toEqual([]);
    }
  }), { numRuns: 300, seed: 1600 });
});
