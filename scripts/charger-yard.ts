import type { ChargingProfile16, OcppConnection, ReceivedCall, Request16 } from '#ocpp';
import { rfc3339 } from '#time';
import { type CentralSystem, centralSystem } from '../libs/ocpp/test/central-system.ts';
import type { Control } from './charger-control.ts';
import { type ChargerEvent, type ChargerProcess, startCharger } from './charger-process.ts';

const EPOCH = '2022-02-01T17:00:00Z';

/** One station of the yard, as a test meets it. */
export interface Site {
  readonly connection: OcppConnection;
  do(control: Control): Promise<void>;
  until(what: Partial<ChargerEvent> | ((event: ChargerEvent) => boolean)): Promise<ChargerEvent>;
  /** Only what comes from now on counts. */
  later(): Site;
  /** What the central system got from it. */
  received(): ReceivedCall[];
  calls<A extends ReceivedCall['action']>(action: A): Request16<A>[];
}

export interface Yard {
  readonly central: CentralSystem;
  readonly charger: ChargerProcess;
  /** A station that is there and free. */
  at(station: string): Promise<Site>;
  /** So many of the next StopTransactions of this station fail in the central system. */
  breakStops(station: string, times: number): void;
  close(): Promise<void>;
}

/** As in the charger's own configuration. */
export interface YardStation {
  readonly id: string;
  readonly model?: string;
  readonly password?: string;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * A central system that knows the cards GOOD…, all of one family, and one real charger process with a
 * station for every test. Ten platform minutes pass in a second: a whole charge is over in three.
 */
export async function openYard(stations: readonly YardStation[]): Promise<Yard> {
  const broken = new Map<string, number>();
  const central = await centralSystem({
    admit: (_, password) =>
      password?.toString() === 'pass' ? { status: 101, enabled: ['ocpp1.6'] } : { status: 401 },
    handle: answers(broken),
  });
  // Ten real seconds to plug in: a busy machine may stand still in between.
  const settings = { MeterValueSampleInterval: 60, ConnectionTimeOut: 6_000 };
  const charger = startCharger({
    config: { url: central.url, password: 'pass', meterStartWh: 1_000, settings, stations },
    env: {
      ROAMWATT_CLOCK_EPOCH: EPOCH,
      ROAMWATT_CLOCK_STARTED: rfc3339(Date.now()),
      ROAMWATT_CLOCK_RATE: '600',
    },
  });
  return {
    central,
    charger,
    at: async (station) => {
      await charger.until({ station, event: 'status', connector: 1, status: 'Available' });
      return site({ central, charger, station, connection: await central.connection(station) }, 0);
    },
    breakStops: (station, times) => broken.set(station, times),
    close: async () => {
      await charger.stop();
      await central.stop();
    },
  };
}

function answers(broken: Map<string, number>): (call: ReceivedCall) => Promise<object> {
  let next = 100;
  const info = (idTag: string) =>
    idTag.toUpperCase().startsWith('GOOD')
      ? { status: 'Accepted', parentIdTag: 'FAMILY' }
      : { status: 'Invalid' };
  return async (call) => {
    switch (call.action) {
      case 'BootNotification':
        return { status: 'Accepted', currentTime: EPOCH, interval: 600 };
      case 'Heartbeat':
        return { currentTime: EPOCH };
      case 'Authorize':
        return { idTagInfo: info(call.payload.idTag) };
      case 'StartTransaction':
        return { transactionId: next++, idTagInfo: info(call.payload.idTag) };
      case 'StopTransaction': {
        const left = broken.get(call.station) ?? 0;
        broken.set(call.station, left - 1);
        if (left > 0) throw new Error('database is down');
        return call.payload.idTag ? { idTagInfo: { status: 'Accepted' } } : {};
      }
      default:
        return {};
    }
  };
}

interface Place {
  readonly central: CentralSystem;
  readonly charger: ChargerProcess;
  readonly station: string;
  readonly connection: OcppConnection;
}

function site(place: Place, since: number): Site {
  const { central, charger, station, connection } = place;
  const received = (): ReceivedCall[] =>
    central.received.filter((call) => call.station === station);
  return {
    connection,
    received,
    do: (control) => charger.do({ ...control, station }),
    until: (what) => {
      const fits = typeof what === 'function' ? what : (event: ChargerEvent) => same(what, event);
      return charger.until((event) => event.station === station && fits(event), { since });
    },
    later: () => site(place, charger.events.length),
    calls: <A extends ReceivedCall['action']>(action: A) =>
      received()
        .filter((call) => call.action === action)
        .map((call) => call.payload as Request16<A>),
  };
}

function same(what: Partial<ChargerEvent>, event: ChargerEvent): boolean {
  return Object.entries(what).every(([name, value]) => event[name] === value);
}

/** What the station answered, whatever became of the call. */
export async function payloadOf(outcome: Promise<{ outcome: string }>): Promise<unknown> {
  return ((await outcome) as { payload?: unknown }).payload;
}

export function profile(
  fields: Partial<ChargingProfile16>,
  limit: number,
  unit: 'A' | 'W' = 'A',
): ChargingProfile16 {
  return {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: {
      chargingRateUnit: unit,
      chargingSchedulePeriod: [{ startPeriod: 0, limit }],
    },
    ...fields,
  };
}

/** Samples stand on the platform's clock to the millisecond, one interval apart. */
export function gaps(instants: readonly number[]): number[] {
  return instants.slice(1).map((instant, i) => instant - instants[i]!);
}
