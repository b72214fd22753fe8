import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startNats } from '#servers';
import pg from 'pg';
import { stringify } from 'yaml';
import { natsUsers } from './nats-users.ts';
import { freePorts } from './ports.ts';
import { supervise, type Supervised } from './supervisor.ts';

/** The services of a platform; each has its folder under `services/`. */
export const serviceNames = [
  'tariff-engine', 'locations', 'tokens-auth', 'cdr-ledger', 'sessions',
  'ocpp-gateway', 'evems-controller', 'ocpi-gateway', 'portal',
] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface PlatformOptions {
  /** Names subjects, database and files. */
  readonly name: string;
  /** Holds the settings file, the NATS store and the logs. */
  readonly dir: string;
  /** What goes into roamwatt.yaml, or the path of one. */
  readonly settings: object | string;
  /** A PostgreSQL server, on which the platform gets a database of its own. */
  readonly postgresUrl?: string;
  /** The platform's own database, when it is there already. */
  readonly databaseUrl?: string;
  /** A NATS server that is there already; without it the platform starts one of its own, with a user for each service. */
  readonly natsUrl?: string;
  /** These services alone, a process each; else all. */
  readonly services?: readonly ServiceName[];
  /** One process for all services, or one for each. */
  readonly hosting: 'one' | 'split';
  /** Where it listens; free ports by default. */
  readonly ports?: Ports;
  /** Clock, tracing and the like, for every process of the platform. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Ports {
  readonly ocpi: number;
  readonly ocpp: number;
  readonly portal: number;
}

export interface Platform {
  readonly name: string;
  readonly ocpiVersionsUrl: string;
  readonly ocppUrl: string;
  readonly portalUrl: string;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly logDir: string;
  /** The processes by the name of their service (`all-in-one` when hosted in one). */
  readonly units: ReadonlyMap<string, Supervised>;
  stop(): Promise<void>;
}

const dist = resolve(import.meta.dirname, import.meta.dirname.includes('/dist/') ? '..' : '../dist');

/** Starts a platform: its NATS server, its database, its services; resolves when all are ready. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { name, dir, hosting } = options;
  const logDir = join(dir, 'logs');
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
  const config = settingsFile(options);

  const users = natsUsers(name);
  const nats = options.natsUrl
    ? { url: options.natsUrl, urlOf: () => options.natsUrl!, stop: async () => {} }
    : await startNats({ dir: join(dir, 'nats'), users });
  /** A process of several services is not kept from itself. */
  const natsUrlOf = (unit: string) => (users.some((user) => user.name === unit) ? nats.urlOf(unit) : nats.url);
  const databaseUrl = options.databaseUrl ?? await ensureDatabase(options.postgresUrl!, name);
  const { ocpi, ocpp, portal } = options.ports ?? await anyPorts();
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'production',
    ...options.env,
    ROAMWATT_PLATFORM: name,
    ROAMWATT_CONFIG: config,
    ROAMWATT_SECRET: keptSecret(join(dir, 'secret')),
    DATABASE_URL: databaseUrl,
    OCPI_PORT: String(ocpi),
    OCPP_PORT: String(ocpp),
    PORTAL_PORT: String(portal),
  };
  const names = options.services ?? (hosting === 'one' ? ['all-in-one'] : serviceNames);
  const starting = await Promise.allSettled(
    names.map((unit) => supervise({ name: unit, main: join(dist, 'services', unit, 'src/main.js'), env: { ...env, NATS_URL: natsUrlOf(unit) } }, logDir)),
  );
  const units = new Map(
    starting.flatMap((start) => (start.status === 'fulfilled' ? [[start.value.name, start.value] as const] : [])),
  );
  const stop = async () => {
    await Promise.all([...units.values()].map((unit) => unit.stop()));
    await nats.stop();
  };
  const failed = starting.find((start) => start.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return {
    name,
    ocpiVersionsUrl: `http://127.0.0.1:${ocpi}/ocpi/versions`,
    ocppUrl: `ws://127.0.0.1:${ocpp}/ocpp`,
    portalUrl: `http://127.0.0.1:${portal}`,
    databaseUrl,
    natsUrl: nats.url,
    logDir,
    units,
    stop,
  };
}

export async function anyPorts(): Promise<Ports> {
  const [ocpi, ocpp, portal] = (await freePorts(3)) as [number, number, number];
  return { ocpi, ocpp, portal };
}

function settingsFile({ dir, settings }: PlatformOptions): string {
  if (typeof settings === 'string') return settings;
  const file = join(dir, 'roamwatt.yaml');
  writeFileSync(file, stringify(settings), { mode: 0o600 });
  return file;
}

/** The URL of the database `name` on the server, made when it is not there. */
export async function ensureDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (!rowCount) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** The platform's secret, made once: what is encrypted with it must be readable after a restart. */
function keptSecret(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
