import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { connectBus } from '#bus';
import { invitePartner } from '#contracts/ocpi-gateway';
import { authorization } from '#ocpi';
import { removeRun, runFolder, startNats, startPostgres } from '#servers';
import { ensureDatabase } from './platform.ts';
import { freePorts } from './ports.ts';
import { supervise, type Supervised } from './supervisor.ts';

const dist = resolve(import.meta.dirname, import.meta.dirname.includes('/dist/') ? '..' : '../dist');

/** A gateway, the services behind it, each a process, and a partner that is registered. */
export interface BenchStage {
  readonly db: pg.Client;
  readonly ocpi: string;
  readonly token: string;
  readonly gateway: Supervised;
  readonly others: readonly Supervised[];
  /** Their process ids. */
  readonly servers: { readonly postgres: number; readonly nats: number };
  /** One more process; `main` below services. */
  run(name: string, main: string): Promise<Supervised>;
}

/** PostgreSQL, NATS and a platform of these services, for as long as it takes to measure. */
export async function onBenchStage<T>(services: readonly string[], measure: (stage: BenchStage) => Promise<T>): Promise<T> {
  const dir = runFolder('bench');
  const started: { stop(): Promise<unknown> }[] = [];
  try {
    return await measure(await set(dir, services, started));
  } finally {
    for (const one of started.toReversed()) await one.stop();
    removeRun(dir);
  }
}

async function set(dir: string, services: readonly string[], started: { stop(): Promise<unknown> }[]): Promise<BenchStage> {
  const keep = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting;
    started.push(one);
    return one;
  };
  const postgres = await keep(startPostgres({ dir: join(dir, 'postgres'), passing: true }));
  const nats = await keep(startNats({ dir: join(dir, 'nats') }));
  const databaseUrl = await ensureDatabase(postgres.url, 'bench');
  const [port] = await freePorts(1);
  const config = join(dir, 'roamwatt.yaml');
  const party = { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' };
  writeFileSync(config, JSON.stringify({ party, ocpi: { allow_private_urls: true, rate_limit: { per_second: 0 } } }));
  const env = {
    PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ROAMWATT_PLATFORM: 'bench', ROAMWATT_CONFIG: config,
    ROAMWATT_SECRET: randomBytes(32).toString('hex'), DATABASE_URL: databaseUrl, NATS_URL: nats.url, OCPI_PORT: String(port),
  };
  mkdirSync(join(dir, 'logs'), { recursive: true });
  const run = (name: string, main: string) => keep(supervise({ name, main: join(dist, 'services', main), env }, join(dir, 'logs')));
  const others: Supervised[] = [];
  for (const service of services) others.push(await run(service, `${service}/src/main.js`));
  const gateway = await run('ocpi-gateway', 'ocpi-gateway/src/main.js');
  const db = new pg.Client({ connectionString: databaseUrl });
  await db.connect();
  started.push({ stop: () => db.end() });
  const ocpi = `http://127.0.0.1:${port}/ocpi/2.2.1`;
  return { db, ocpi, token: await register(ocpi, nats.url), gateway, others, servers: { postgres: postgres.pid!, nats: nats.pid! }, run };
}

/** A partner that is CPO and eMSP and wants nothing pushed. */
async function register(ocpi: string, natsUrl: string): Promise<string> {
  const server = createServer((request, response) => {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const endpoints = [['credentials', 'RECEIVER'], ['locations', 'SENDER'], ['tokens', 'SENDER']]
      .map(([identifier, role]) => ({ identifier, role, url: `${base}/${identifier}` }));
    const data = request.url === '/versions' ? [{ version: '2.2.1', url: `${base}/2.2.1` }] : { version: '2.2.1', endpoints };
    response
      .setHeader('Content-Type', 'application/json')
      .end(JSON.stringify({ data, status_code: 1000, timestamp: '2022-02-01T17:00:00Z' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const bus = await connectBus({ natsUrl, platform: 'bench', service: 'bench' });
  try {
    const { tokenA } = await bus.ask(invitePartner, { name: 'Islands', parties: [{ party: { countryCode: 'CA', partyId: 'ISL' } }] });
    const roles = ['CPO', 'EMSP'].map((role) => ({
      role,
      country_code: 'CA',
      party_id: 'ISL',
      business_details: { name: 'Islands', parties: [{ party: { countryCode: 'CA', partyId: 'ISL' } }] },
    }));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/versions`;
    const answer = await fetch(`${ocpi}/credentials`, {
      method: 'POST', body: JSON.stringify({ token: 'token-of-ISL', url, roles }),
      headers: { Authorization: authorization(tokenA), 'Content-Type': 'application/json' },
    });
    const { data } = await answer.json() as { data: { token: string } };
    return data.token;
  } finally {
    await bus.close();
    server.closeAllConnections();
    server.close();
  }
}

/** Linux counts a process's time in hundredths of a second. */
export function cpuSeconds(unit: Supervised): number {
  return timesOf(unit.pid()!).own;
}

/** Of a server and the processes that it has, and had. */
export function serverCpuSeconds(pid: number): number {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => timesOf(Number(name)));
  const { own, ended } = timesOf(pid);
  return own + ended + all.filter(({ parent }) => parent === pid).reduce((sum, child) => sum + child.own, 0);
}

function timesOf(pid: number): { parent: number; own: number; ended: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').map(Number);
    return { parent: fields[1]!, own: (fields[11]! + fields[12]!) / 100, ended: (fields[13]! + fields[14]!) / 100 };
  } catch {
    return { parent: 0, own: 0, ended: 0 }; // It has ended meanwhile.
  }
}

export function memoryMb(unit: Supervised): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${unit.pid()}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
