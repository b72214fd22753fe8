import { readFileSync, writeFileSync } from 'node:fs';
import { busMigrations, type Context, slotOf } from '#bus';
import { authorization } from '#ocpi';
import { openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { expect } from 'vitest';
import { migrations } from '../src/migrations.ts';
import { start } from '../src/start.ts';
import { Neighbours } from './neighbours.ts';

/** Nothing is pulled by itself in the midst of a test that takes long. */
export const ocpi = {
  allow_private_urls: true, page_limit: 2, first_retry_ms: 50, longest_retry_ms: 400, refusals_before_parking: 3,
  pull: { first_s: 86_400, splay_s: 0 },
};
export const plunkParty = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' };

/** The gateway's schema, and those in which its neighbours tell. */
const migrated = {
  what: 'ocpi_gateway',
  schemas: {
    ocpi_gateway: migrations,
    ...Object.fromEntries(
      ['locations', 'tokens_auth', 'sessions', 'tariff_engine', 'cdr_ledger'].map((neighbour) => [neighbour, busMigrations])),
  },
};

/** One platform's gateway among its neighbours' contracts. */
export interface Side {
  readonly neighbours: Neighbours;
  readonly platform: TestPlatform;
  gateway: Running;
  /** The same gateway again, where it was; with `versions` it speaks others from now on. */
  restart(versions?: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** The party is Energy OASIS, a CPO, where none is given; `versions` are those of OCPI that it speaks. */
export async function openSide(settings: Record<string, unknown>, versions?: readonly string[]): Promise<Side> {
  const speaking = (spoken = versions) => ({ ocpi: { ...ocpi, ...(spoken ? { versions: spoken } : {}) }, ...settings });
  const platform = await testPlatform(speaking(), {}, migrated);
  const neighbours = await Neighbours.open(platform);
  const side: Side = {
    neighbours,
    platform,
    gateway: await start(platform.env),
    async restart(others) {
      if (others) {
        const config = platform.env.ROAMWATT_CONFIG!;
        writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')) as object, ...speaking(others) }));
      }
      side.gateway = await start({ ...platform.env, OCPI_PORT: new URL(versionsUrl(side)).port });
    },
    async close() {
      await side.gateway.stop();
      await neighbours.close();
      await platform.drop();
    },
  };
  return side;
}

/** Until the gateway has handled all that was told of a key by now: it shows nothing of what is for nobody yet. */
export async function heard(of: Side, context: Context, key: string): Promise<void> {
  const db = await openDatabase({ url: of.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const told = await of.neighbours.lastTold(context, key);
  const isHeard = async () => (await db.query(
    'SELECT FROM listening WHERE source = $1 AND slots @> $2::int AND position >= $3', [context, slotOf(key), told],
  )).rowCount;
  await expect.poll(isHeard).toBe(1);
  await db.close();
}

export const versionsUrl = (of: Side): string => of.gateway.urls!.ocpi!;
export const origin = (of: Side): string => new URL(versionsUrl(of)).origin;

export interface CallOptions {
  readonly token?: string;
  readonly method?: string;
  /** An object, or text that is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface Called {
  readonly http: number;
  readonly headers: Headers;
  readonly status_code: number;
  readonly status_message: string;
  readonly timestamp: string;
  readonly data?: unknown;
}

/** One request to a gateway as any OCPI partner makes it. */
export async function call(of: Side, path: string, { token = '', method = 'GET', body, headers = {} }: CallOptions = {}): Promise<Called> {
  const response = await fetch(path.startsWith('http') ? path : `${origin(of)}${path}`, {
    method,
    headers: {
      ...(token ? { Authorization: authorization(token) } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const envelope = JSON.parse(await response.text()) as Omit<Called, 'http' | 'headers'>;
  return { ...envelope, http: response.status, headers: response.headers };
}
