import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isModelName } from './charger-models.ts';
import type { StationConfig } from './charger-station.ts';

export const help = `A simulated charging station: a process of its own that speaks OCPP 1.6J to a central system
through the independent client ocpp-rpc in strict mode.

  node --conditions=source scripts/charger.ts --url ws://127.0.0.1:9000/ocpp --station CA-BCT-L2-01
  node dist/scripts/charger.js '{"url":"ws://…/ocpp","model":"level2","stations":[{"id":"A","password":"…"},{"id":"B"}]}'

What it is, as options, or as one JSON argument, or the same JSON in CHARGER_CONFIG
(JSON: url, stations [{id, password, model, meterStartWh, seed, settings}], and any of those as a default for all):
  --url URL             of the central system; the station's identity is appended            (CHARGER_URL)
  --station ID          again for every station this process hosts
  --stations FILE       more of them: a JSON file with an array of {id, password, …}
  --password SECRET     Basic authentication; better in the environment                      (CHARGER_PASSWORD)
  --model MODEL         level2 (one J1772 cable, 208 V, 32 A) or dcfc (50 kW, 1 = CCS1, 2 = CHAdeMO); level2
  --meter-start WH      what the registers show at first; 0
  --set KEY=VALUE       a configuration key, e.g. MeterValueSampleInterval=60 (platform seconds)
  --seed N              of the noise in the cars' power; the same seed, the same charge; 1
  --call-timeout-ms N   how long a call may stay unanswered, real time; 30000
  --stay                go on when stdin ends; without it the process ends then, so that it outlives nobody
Time is the platform's: ROAMWATT_CLOCK_EPOCH, ROAMWATT_CLOCK_STARTED, ROAMWATT_CLOCK_RATE.

What happens at it: one JSON object per line on stdin ("station" names one of several, "connector" is 1 by default)
  {"do":"plug-in","connector":1,"car":"leaf","soc":35}     cars: leaf, bolt, kona, model-3, outlander
  {"do":"tap","connector":1,"idTag":"04A2B9"}              a card: starts, and the same card stops
  {"do":"unplug","connector":1}
  {"do":"drop-socket","forMs":1500}                        real milliseconds; the charge goes on
  {"do":"fault","connector":1,"code":"GroundFailure"}      and {"do":"clear-fault"}
  {"do":"stop-answering","actions":["RemoteStartTransaction"],"act":true,"afterMs":60000}
                                                           act: do it all the same, later (platform ms)
  {"do":"answer-again"}
  {"do":"repeat-stop","times":3}                           the last StopTransaction again; before any: the next, so often
  {"do":"restart"}  {"do":"report"}  {"do":"quit"}

What it saw: one JSON object per line on stdout {at, station, event, …}
  connected, disconnected, not-connected, booted, status, plugged-in, unplugged, authorized, refused, waited-too-long,
  transaction-started, transaction-known, transaction-stopped, meter, limit, profile, command (with its answer),
  delivered, not-delivered, given-up, not-strict, error, reset, report, done, not-done
`;

/** What the process was started with is wrong; the message names the option. */
export class ConfigInvalid extends Error {}

export interface Config {
  readonly stations: readonly StationConfig[];
  readonly stay: boolean;
}

interface Given {
  url?: string;
  id?: string;
  password?: string;
  model?: string;
  meterStartWh?: number;
  seed?: number;
  settings?: Record<string, string | number | boolean>;
  callTimeoutMs?: number;
  stations?: Given[];
}

/** `undefined` = help was asked for. */
export function readConfig(args: readonly string[], env: NodeJS.ProcessEnv): Config | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const base: Given = {
    ...(env['CHARGER_URL'] && { url: env['CHARGER_URL'] }),
    ...(env['CHARGER_PASSWORD'] && { password: env['CHARGER_PASSWORD'] }),
    ...json(env['CHARGER_CONFIG'], 'CHARGER_CONFIG'),
    ...json(positionals[0], 'the argument'),
    ...(values.url && { url: values.url }),
    ...(values.password && { password: values.password }),
    ...(values.model && { model: values.model }),
    ...(values['meter-start'] && { meterStartWh: Number(values['meter-start']) }),
    ...(values.seed && { seed: Number(values.seed) }),
    ...(values['call-timeout-ms'] && { callTimeoutMs: Number(values['call-timeout-ms']) }),
  };
  base.settings = { ...base.settings, ...pairs(values.set ?? []) };
  const listed: Given[] = [
    ...(base.stations ?? []),
    ...(values.stations ? (JSON.parse(readFileSync(values.stations, 'utf8')) as Given[]) : []),
    ...(values.station ?? []).map((id) => ({ id })),
    ...(base.id ? [{ id: base.id }] : []),
  ];
  if (listed.length === 0) throw new ConfigInvalid('--station: at least one is needed');
  const stations = listed.map((given, i) => station(base, given, i));
  const ids = new Set(stations.map(({ id }) => id));
  if (ids.size < stations.length) throw new ConfigInvalid('--station: an identity is given twice');
  return { stations, stay: values.stay ?? false };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        url: { type: 'string' },
        station: { type: 'string', multiple: true },
        stations: { type: 'string' },
        password: { type: 'string' },
        model: { type: 'string' },
        'meter-start': { type: 'string' },
        set: { type: 'string', multiple: true },
        seed: { type: 'string' },
        'call-timeout-ms': { type: 'string' },
        stay: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new ConfigInvalid(error instanceof Error ? error.message : String(error));
  }
}

function json(text: string | undefined, where: string): Given {
  if (!text) return {};
  try {
    return JSON.parse(text) as Given;
  } catch {
    throw new ConfigInvalid(`${where} is no JSON`);
  }
}

function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new ConfigInvalid(`--set ${text}: must be KEY=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function station(base: Given, own: Given, index: number): StationConfig {
  const {
    url,
    password,
    model = 'level2',
    meterStartWh = 0,
    seed,
    callTimeoutMs = 30_000,
  } = { ...base, ...own };
  const id = own.id;
  if (!id) throw new ConfigInvalid(`stations[${index}].id is missing`);
  if (!url || !/^wss?:\/\//.test(url))
    throw new ConfigInvalid('--url: must begin with ws:// or wss://');
  if (!isModelName(model)) throw new ConfigInvalid(`--model: ${model} is neither level2 nor dcfc`);
  if (!Number.isSafeInteger(meterStartWh) || meterStartWh < 0) {
    throw new ConfigInvalid('--meter-start: must be a whole number of Wh');
  }
  const settings = Object.entries({ ...base.settings, ...own.settings });
  return {
    url: url.replace(/\/+$/, ''),
    id,
    ...(password !== undefined && { password }),
    model,
    meterStartWh,
    // Stations of one process are not to breathe in step.
    seed: own.seed ?? (seed ?? 1) + index * 7919,
    settings: Object.fromEntries(settings.map(([key, value]) => [key, String(value)])),
    callTimeoutMs,
  };
}
