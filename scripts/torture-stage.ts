import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, startNats, startPostgres } from '#servers';
import { freePorts } from './ports.ts';
import { ensureDatabase } from './platform.ts';
import { supervise, type Supervised } from './supervisor.ts';
import { retail } from './torture-charge.ts';
import type { Fault, SideNumber } from './torture-steps.ts';

/** The ledger of one platform: two processes of cdr-ledger on a database of its own. */
export interface LedgerSide {
  readonly number: SideNumber;
  readonly party: { readonly country_code: string; readonly party_id: string; readonly name: string };
  readonly platform: string;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly processes: readonly Supervised[];
}

export interface TortureStage {
  readonly sides: readonly [LedgerSide, LedgerSide];
  /** Of both platforms' clock. */
  readonly clockEnv: Readonly<Record<string, string>>;
  /** Does what the fault says, and resolves when it is over and what was stopped runs again. */
  strike(fault: Fault): Promise<void>;
  /** The last lines of every process's log. */
  logs(): string;
  stop(): Promise<void>;
}

const parties = [
  { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' },
  { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP', 'CPO'], currency: 'CAD' },
] as const;

/** Days pass within seconds: months end, statements close, heads are signed. */
const CLOCK = { epoch: '2022-02-26T20:00:00Z', rate: 20_000 };

const main = join(
  resolve(import.meta.dirname, import.meta.dirname.includes('/dist/') ? '..' : '../dist'),
  'services/cdr-ledger/src/main.js',
);

/** Two ledgers on servers of their own in `dir`, which may be stopped and started. */
export async function setTortureStage(dir: string): Promise<TortureStage> {
  const servers = new Servers(dir);
  const clockEnv = {
    ROAMWATT_CLOCK_EPOCH: CLOCK.epoch,
    ROAMWATT_CLOCK_STARTED: new Date().toISOString(),
    ROAMWATT_CLOCK_RATE: String(CLOCK.rate),
  };
  const logDir = join(dir, 'logs');
  mkdirSync(logDir, { recursive: true });
  const all: Supervised[] = [];
  const stop = async () => {
    await Promise.all(all.map((one) => one.stop()));
    await servers.stop();
  };
  try {
    await servers.start();
    const sides = (await Promise.all(
      parties.map(async (party, n): Promise<LedgerSide> => {
        const { settings, ...side } = await sideOf(dir, servers, n as SideNumber);
        const env = { ...settings, ...clockEnv };
        const processes = await Promise.all(
          ['one', 'other'].map((which) => supervise({ name: `${party.party_id}-${which}`, main, env }, logDir)),
        );
        all.push(...processes);
        return { ...side, processes };
      }),
    )) as unknown as readonly [LedgerSide, LedgerSide];
    return { sides, clockEnv, strike: (fault) => strike(fault, sides, servers), logs: () => tails(logDir), stop };
  } catch (error) {
    await stop();
    throw new Error(`the stage could not be set: ${(error as Error).message}\n${tails(logDir)}`, { cause: error });
  }
}

async function sideOf(dir: string, servers: Servers, number: SideNumber) {
  const party = parties[number];
  const platform = `torture-${party.party_id.toLowerCase()}`;
  const databaseUrl = await ensureDatabase(servers.postgresUrl, `torture_${party.party_id.toLowerCase()}`);
  const natsUrl = servers.natsUrl;
  const config = join(dir, `${party.party_id}.yaml`);
  writeFileSync(config, JSON.stringify({ party, retail }), { mode: 0o600 });
  const settings = {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'production',
    ROAMWATT_PLATFORM: platform,
    ROAMWATT_CONFIG: config,
    ROAMWATT_SECRET: randomBytes(24).toString('hex'),
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
  };
  return { number, party, platform, databaseUrl, natsUrl, settings };
}

/** One PostgreSQL and one nats-server, each at the same address whenever it runs. */
class Servers {
  private readonly dir: string;
  private postgres: Server | undefined;
  private nats: Server | undefined;
  private ports: { postgres: number; nats: number } | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  get postgresUrl(): string {
    return this.postgres!.url;
  }

  get natsUrl(): string {
    return this.nats!.url;
  }

  async start(): Promise<void> {
    const [postgres, nats] = (await freePorts(2)) as [number, number];
    this.ports = { postgres, nats };
    await Promise.all([this.startPostgres(), this.startNats()]);
  }

  async startPostgres(): Promise<void> {
    this.postgres = await startPostgres({ dir: join(this.dir, 'postgres'), port: this.ports!.postgres, passing: true });
  }

  async startNats(): Promise<void> {
    this.nats = await startNats({ dir: join(this.dir, 'nats'), port: this.ports!.nats });
  }

  /** `signal`: how it ends; without one, in order. */
  async stopPostgres(signal?: NodeJS.Signals): Promise<void> {
    if (signal) process.kill(this.postgres!.pid, signal);
    await this.postgres!.stop();
  }

  async crashNats(): Promise<void> {
    process.kill(this.nats!.pid, 'SIGKILL');
    await this.nats!.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([this.postgres?.stop(), this.nats?.stop()]);
  }
}

async function strike(fault: Fault, sides: readonly LedgerSide[], servers: Servers): Promise<void> {
  switch (fault.kind) {
    case 'kill':
    case 'stop': {
      const pid = sides[fault.side]!.processes[fault.process]!.pid();
      if (pid === undefined || !signalled(pid, fault.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP')) return;
      if (fault.kind === 'kill') return;
      await sleep(fault.ms);
      signalled(pid, 'SIGCONT');
      return;
    }
    case 'database-stop':
    case 'database-crash':
      // SIGQUIT is PostgreSQL's immediate shutdown: all at once, to be recovered from its log.
      await servers.stopPostgres(fault.kind === 'database-crash' ? 'SIGQUIT' : undefined);
      await sleep(fault.ms);
      return servers.startPostgres();
    case 'nats-crash':
      await servers.crashNats();
      await sleep(fault.ms);
      return servers.startNats();
  }
}

/** False for a process that has ended meanwhile. */
function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function tails(logDir: string): string {
  return readdirSync(logDir)
    .map((name) => `── ${name}\n${readFileSync(join(logDir, name), 'utf8').slice(-2_000)}`)
    .join('\n');
}
