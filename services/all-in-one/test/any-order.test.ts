import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fold } from '#decider';
import { exampleLocation, exampleSession, exampleTariff, exampleToken } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { stationDecider } from '../../ocpp-gateway/src/station.ts';
import type { FrameCommand, StationEvent } from '../../ocpp-gateway/src/station-events.ts';
import { sessionDecider } from '../../sessions/src/session.ts';
import type { SessionCommand, SessionEvent } from '../../sessions/src/session-events.ts';

const startMs = instant('2022-02-01T00:00:00Z');
const at = (minute: number) => rfc3339(startMs + Math.round(minute * 60_000));
const { end_date_time: _end, total_cost: _cost, ...example } = exampleSession;
const tariff = {
  ...exampleTariff,
  elements: [{ price_components: (['TIME', 'PARKING_TIME'] as const).map((type) => ({ type, price: 6, step_size: 1 })) }],
};
const rules = { graceMs: 0, capMs: 86_400_000, waitMs: 120_000 };
const updateEveryMs = { ac: 60_000, dc: 60_000 };

interface Happening {
  readonly connectorId: number;
  readonly pause: number;
  readonly minutes: number;
  readonly energyWh: number;
  readonly idTag: string;
  readonly isStopLost: boolean;
  readonly isLate: boolean;
  readonly startedAgain: 'never' | 'at once' | 'after its stop';
  readonly isMeterReadAnew: boolean;
  readonly isStoppedAgain: boolean;
  readonly names: 'by its number' | 'not' | '-1';
}

/** What happens at a station of two connectors, and what becomes of the word of it. */
const happens: fc.Arbitrary<Happening> = fc.record({
  connectorId: fc.integer({ min: 1, max: 2 }),
  pause: fc.integer({ min: 1, max: 60 }),
  minutes: fc.integer({ min: 1, max: 120 }),
  energyWh: fc.integer({ min: 0, max: 3_000 }),
  idTag: fc.constantFrom('A', 'B'),
  isStopLost: fc.boolean(),
  /** Told after the next charge on the connector has begun. */
  isLate: fc.boolean(),
  startedAgain: fc.constantFrom('never', 'at once', 'after its stop'),
  isMeterReadAnew: fc.boolean(),
  isStoppedAgain: fc.boolean(),
  /** How the station names the transaction to the end. */
  names: fc.constantFrom('by its number', 'not', '-1'),
});

interface Charge extends Happening {
  readonly n: number;
  readonly begins: number;
  readonly ends: number;
  readonly fromWh: number;
  readonly toWh: number;
}
type What = 'start' | 'read' | 'stop';

function inLife(all: readonly Happening[]): Charge[] {
  const now = new Map([[1, { minute: 0, wh: 1_000 }], [2, { minute: 0, wh: 500_000 }]]);
  return all.map((one, n) => {
    const { minute, wh } = now.get(one.connectorId)!;
    const begins = minute + one.pause;
    const charge = { ...one, n, begins, ends: begins + one.minutes, fromWh: wh, toWh: wh + one.energyWh };
    now.set(one.connectorId, { minute: charge.ends, wh: charge.toWh });
    return charge;
  });
}

function asTold(charges: readonly Charge[]): { what: What; charge: Charge; again: boolean; heard: number }[] {
  return charges.flatMap((charge) => {
    const next = charges.find(({ n, connectorId }) => n > charge.n && connectorId === charge.connectorId);
    const heard = (minute: number) =>
      (charge.isLate && next ? next.begins + 0.5 + (minute - charge.begins) / 1_000 : minute);
    const { begins, ends, startedAgain, isStopLost, isStoppedAgain } = charge;
    const say = (minute: number, what: What, again = false) => ({ heard: heard(minute), what, charge, again });
    return [
      say(begins, 'start'), say((begins + ends) / 2, 'read'),
      ...(startedAgain === 'at once' ? [say(begins + 0.01, 'start', true)] : []),
      ...(isStopLost ? [] : [say(ends, 'stop'), ...(isStoppedAgain ? [say(ends + 0.01, 'stop', true)] : [])]),
      ...(startedAgain === 'after its stop' ? [say(ends + 0.02, 'start', true)] : []),
    ];
  }).toSorted((a, b) => a.heard - b.heard);
}

/** What one charge's Session hears of it. */
function commandOf(event: StationEvent, heardAt: string): SessionCommand | undefined {
  switch (event.type) {
    case 'TransactionStarted': {
      const { startedAt, connectorId, meterStartWh, transactionId } = event;
      const session = { ...example, start_date_time: startedAt, kwh: 0, charging_periods: [], status: 'ACTIVE' as const, last_updated: startedAt };
      return {
        type: 'StartSession', session, snapshots: { location: exampleLocation, tariff, tariffVersion: 1, token: exampleToken },
        transaction: { stationId: 'S', transactionId: String(transactionId), connectorId, meterStartWh },
      };
    }
    case 'MeterRead':
      return { type: 'ReadMeter', readings: event.readings.map(({ at: readAt, energyWh }) => ({ at: readAt, energyWh: energyWh! })), updateEveryMs, at: heardAt };
    case 'TransactionStopped': {
      const { meterStopWh, isLastKnown = false, stoppedAt, reason } = event;
      return { type: 'EndSession', meterStopWh, isLastKnown, stoppedAt, reason, readings: [], rules, at: heardAt };
    }
    default:
      return undefined;
  }
}

/** Each charge's transaction, and all that happened in the Session of each transaction. */
function lived(charges: readonly Charge[]) {
  let station = fold(stationDecider, [{ type: 'Connected', at: at(0), version: 'ocpp1.6', connection: 'c', epoch: 1 }]);
  const numbers = new Map<number, string>();
  const sessions = new Map<string, SessionEvent[]>();
  const decide = (id: string, command: SessionCommand) => {
    const past = sessions.get(id) ?? [];
    sessions.set(id, [...past, ...sessionDecider.decide(command, fold(sessionDecider, past))]);
  };
  for (const [n, { what, charge, again, heard }] of asTold(charges).entries()) {
    const heardAt = at(heard);
    const frame = frameOf(charge, { what, again, drawn: n + 1, number: numbers.get(charge.n) });
    const events = stationDecider.decide({ ...frame, epoch: 1, frame: `f${n}`, heardAt } as FrameCommand, station);
    station = fold(stationDecider, events, station);
    for (const event of events) {
      const id = 'transactionId' in event ? String(event.transactionId) : undefined;
      const command = commandOf(event, heardAt);
      if (id === undefined || !command) continue;
      if (event.type === 'TransactionStarted') numbers.set(charge.n, id);
      decide(id, command);
    }
  }
  for (const id of sessions.keys()) decide(id, { type: 'LookAtParking', updateEveryMs, at: at(1e5) });
  return { numbers, sessions };
}

function frameOf(
  charge: Charge, { what, again, drawn, number = '' }: { what: What; again: boolean; drawn: number; number?: string | undefined },
): object {
  const { connectorId, idTag, begins, ends, fromWh, toWh, isMeterReadAnew, names } = charge;
  switch (what) {
    case 'start': {
      const meterStartWh = String(fromWh + (again && isMeterReadAnew ? 3 : 0));
      const start = { transactionId: drawn, connectorId, idTag, meterStartWh, saidAt: at(begins), startedAt: at(begins) };
      return { type: 'StartTransaction', start: { ...start, authorization: { status: 'Accepted', authMethod: 'WHITELIST', token: '{}' } } };
    }
    case 'read': {
      const reading = { at: at((begins + ends) / 2), context: 'Sample.Periodic', energyWh: String(Math.floor((fromWh + toWh) / 2)) };
      const named = { 'by its number': number, not: undefined, '-1': '-1' }[names];
      return { type: 'ReadMeter', connectorId, transactionId: named, readings: [reading] };
    }
    case 'stop': {
      const transactionId = names === '-1' ? '-1' : number;
      return { type: 'StopTransaction', stop: { transactionId, meterStopWh: String(toWh), stoppedAt: at(ends), reason: 'Local', idTag, readings: [] } };
    }
  }
}

test('whatever a station says twice, late, not at all or without a number, each charge is one Session, and none is billed for more than it took', () => {
  fc.assert(fc.property(fc.array(happens, { minLength: 1, maxLength: 6 }), (all) => {
    const charges = inLife(all);
    const { numbers, sessions } = lived(charges);
    expect(sessions.size).toBe(charges.length);
    for (const { n, energyWh, isStopLost, names, ends, isLate } of charges) {
      const ended = sessions.get(numbers.get(n)!)!.filter((event) => event.type === 'SessionEnded');
      expect(ended.length).toBeLessThanOrEqual(1);
      for (const end of ended) expect(Number(end.energyWh)).toBeLessThanOrEqual(energyWh);
      if (isStopLost || names === '-1' || isLate) continue;
      expect(ended).toMatchObject([{ energyWh: String(energyWh), session: { end_date_time: at(ends) } }]);
    }
  }), { numRuns: 400, seed: 20220201 });
});
