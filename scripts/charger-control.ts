import { NotDone } from './charger-station.ts';
import type { Station } from './charger-station.ts';

/** One line of the control protocol: `do` names the act, the rest its arguments. */
export interface Control {
  readonly do: string;
  readonly station?: string;
  readonly connector?: number;
  readonly car?: string;
  readonly soc?: number;
  readonly idTag?: string;
  readonly forMs?: number;
  readonly code?: string;
  readonly times?: number;
  readonly actions?: readonly string[];
  /** For stop-answering: carried out all the same, so long after (platform ms). */
  readonly act?: boolean;
  readonly afterMs?: number;
}

type Act = (station: Station, control: Control) => void | Promise<void>;

/** Everything that can happen at a station. */
const acts: Readonly<Record<string, Act>> = {
  'plug-in': (station, { connector, car, soc }) =>
    station.plugIn(connector ?? 1, car ?? 'leaf', soc),
  unplug: (station, { connector }) => station.unplug(connector ?? 1),
  tap: (station, { connector, idTag }) => station.tap(connector ?? 1, required(idTag, 'idTag')),
  'drop-socket': (station, { forMs }) => station.link.drop(forMs ?? 1_000),
  fault: (station, { connector, code }) => station.fault(connector ?? 1, code ?? 'OtherError'),
  'clear-fault': (station, { connector }) => station.fault(connector ?? 1, undefined),
  'stop-answering': (station, { actions, act, afterMs }) => {
    for (const action of required(actions, 'actions')) {
      station.mute.set(action, { act: act ?? false, afterMs: afterMs ?? 0 });
    }
  },
  'answer-again': (station, { actions }) => {
    for (const action of actions ?? [...station.mute.keys()]) station.mute.delete(action);
  },
  'repeat-stop': (station, { times }) => station.transactions.repeatStop(times ?? 1),
  restart: (station) => station.reset('HardReset'),
  report: (station) => station.report(),
};

/** Does what a line says; throws `NotDone` with the reason. */
export async function control(
  stations: ReadonlyMap<string, Station>,
  line: string,
): Promise<{ station: string; did: string }> {
  const said = parse(line);
  const act = Object.hasOwn(acts, said.do) ? acts[said.do] : undefined;
  if (!act) throw new NotDone(`"do" must be one of ${Object.keys(acts).join(', ')}, quit`);
  const station = one(stations, said.station);
  await act(station, said);
  return { station: station.config.id, did: said.do };
}

function parse(line: string): Control {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    throw new NotDone('the line is no JSON');
  }
  if (typeof said !== 'object' || said === null || !('do' in said) || typeof said.do !== 'string') {
    throw new NotDone('the line must be an object with "do"');
  }
  return said as Control;
}

function one(stations: ReadonlyMap<string, Station>, id: string | undefined): Station {
  const [first, second] = stations.values();
  if (id === undefined && first && !second) return first;
  if (id === undefined) throw new NotDone('"station" must say which of the stations');
  const found = stations.get(id);
  if (!found) throw new NotDone(`there is no station ${id} here`);
  return found;
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new NotDone(`"${name}" is missing`);
  return value;
}
