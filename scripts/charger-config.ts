import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isModelName } from './charger-models.ts';
import type { StationConfig } from './charger-station.ts';

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
    ...(values.model !== undefined && { model: values.model }),
    ...(values['meter-start'] && { meterStartWh: Number(values['meter-start']) }),
    ...(values.seed && { seed: Number(values.seed) }),
    ...(values['call-timeout-ms'] && { callTimeoutMs: Number(values['call-timeout-ms']) }),
  };
  base.settings = { ...base.settings, ...pairs(values.set ?? []) };
  const listed: Given[] = [
    ...(base.stations ?? []),
    ...(values.stations ? listOf(values.stations) : []),
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

function listOf(file: string): Given[] {
  try {
    const list: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(list)) return list as Given[];
  } catch (error) {
    throw new ConfigInvalid(`--stations ${file}: ${(error as Error).message}`);
  }
  throw new ConfigInvalid(`--stations ${file}: is no array of {id, password, …}`);
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
  for (const [name, value] of Object.entries({ seed: own.seed ?? seed ?? 1, 'call-timeout-ms': callTimeoutMs }))
    if (!Number.isSafeInteger(value) || value < 0) throw new ConfigInvalid(`--${name}: must be a whole number`);
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
