import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSpans, type RecordedSpan } from '#telemetry';
import { dropStreams, freshDatabase, freshPlatform, natsUrl } from '#test-servers';
import pg from 'pg';
import { type ChargerProcess, startCharger } from '../../../scripts/charger-process.ts';
import { type FoundEvse, Portal } from '../../../scripts/portal.ts';
import { carbonPlunk, DEMO_EPOCH, energyOasis } from '../../../scripts/demo-settings.ts';
import { anyPorts, type Platform, type PlatformOptions, startPlatform } from '../../../scripts/platform.ts';
import { platformDatabase } from './platform-database.ts';

export interface StageOptions {
  readonly hosting: 'one' | 'split';
  /** How much faster than life the platforms' clock runs. */
  readonly rate: number;
  /** Platform seconds between two meter samples of a charge, and between two refreshes of its Session. */
  readonly everyS: number;
  /** The two know each other through a hub alone, a third platform. */
  readonly viaHub?: boolean;
  /** Of OCPI, that Carbon Plunk speaks; all when absent. */
  readonly versions?: readonly string[];
  /** What the Level-2 feeder of OASIS carries; 192 A when absent. */
  readonly feederA?: number;
  /** EVSEs of OASIS that take charging preferences. */
  readonly prefer?: readonly string[];
  /** Configuration keys of single stations. */
  readonly stationSettings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What OASIS offers, where it is not the demo's. */
  readonly tariffs?: readonly object[];
  /** What OASIS knows of single stations, such as how their readers spell a card. */
  readonly stationProfiles?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Whether what the platforms do is traced. */
  readonly traced?: boolean;
  /** Of Carbon Plunk, beside those that are always there. */
  readonly moreDrivers?: readonly DriverSettings[];
}

export interface DriverSettings {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly contract_id: string;
  readonly tokens: readonly { readonly uid: string; readonly type: string; readonly visual_number?: string; readonly whitelist?: string }[];
}

/** One of the two platforms, on the run's servers with a database and a name of its own. */
export interface Side {
  /** What runs now: another one after a restart. */
  readonly platform: () => Platform;
  readonly operator: Portal;
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Ends all processes of the platform. */
  stop(): Promise<void>;
  /** The same platform again: its database, its ports, its secret; it may be hosted otherwise, and have other drivers. */
  startAgain(hosting: PlatformOptions['hosting'], drivers?: readonly DriverSettings[]): Promise<void>;
  readonly drivers: readonly DriverSettings[];
}

export interface Stage {
  readonly oasis: Side;
  readonly plunk: Side;
  /** Between them, where the stage was set so. */
  readonly hub: Side | undefined;
  readonly chargers: ChargerProcess;
  /** Signs a driver of Carbon Plunk in. */
  driver(name: 'avery' | 'blake' | 'casey'): Promise<Portal>;
  /** The last lines of every service's log. */
  logs(): string;
  /** Of all logs, the lines that hold a text. */
  logged(text: string): string[];
  /** Where `traced`. */
  spans(): RecordedSpan[];
  stop(): Promise<void>;
}

export const averysToken = 'APP-0000000001';
export const blakesCard = '04A2B3C4D5E680';
/** Of a driver who pays a mark-up; Avery and Blake pay what a charge costs. */
export const casey = { token: 'APP-0000000004', card: '04CA5E0000A180', contractId: 'CA-CPK-C00000004-D' };
/** More cards of Carbon Plunk, one for each Level-2 station. */
export const crewCard = (n: number): string => `04C0FFEE00${String(n).padStart(2, '0')}80`;

function fedBy(settings: ReturnType<typeof energyOasis>, feederA: number, prefer: readonly string[]) {
  const sites = settings.sites.map((site) => ({ ...site, feeder: { ...site.feeder, limit_a: feederA } }));
  const locations = settings.locations.map((location) => ({
    ...location,
    evses: location.evses.map((evse) => (prefer.includes(evse.uid)
      ? { ...evse, capabilities: [...evse.capabilities, 'CHARGING_PREFERENCES_CAPABLE'] } : evse)),
  }));
  return { ...settings, sites, locations };
}

/** Short times, so that a fault is over within a test. */
const oasisSettings = (
  everyS: number, { feederA = 192, prefer = [], stationProfiles = {} }: Pick<StageOptions, 'feederA' | 'prefer' | 'stationProfiles'> = {},
) => {
  const settings = fedBy(energyOasis(), feederA, prefer);
  return {
    ...settings,
    stations: settings.stations.map((station) => ({ ...station, ...stationProfiles[station.id] })),
    sessions: {
      update_every_s: everyS,
      profile_every_s: 0,
      profile_timeout_s: 3_600,
      charger_timeout_ms: 5_000,
      partner_timeout_ms: 10_000,
    },
    ocpi: { allow_private_urls: true, first_retry_ms: 50, longest_retry_ms: 400 },
  };
};

const plunkSettings = (moreDrivers: readonly DriverSettings[], versions?: readonly string[]) => {
  const settings = carbonPlunk();
  const crew = {
    email: 'crew@carbon-plunk.example',
    password: 'many cards, one driver',
    name: 'Crew',
    contract_id: 'CA-CPK-C00000003-F',
    tokens: Array.from({ length: 10 }, (_, i) => ({ uid: crewCard(i + 1), type: 'RFID' })),
  };
  const marked = {
    email: 'casey@carbon-plunk.example',
    password: 'a mark-up and a limit',
    name: 'Casey',
    contract_id: casey.contractId,
    tokens: [{ uid: casey.token, type: 'APP_USER' }, { uid: casey.card, type: 'RFID', whitelist: 'NEVER' }],
  };
  return {
    ...settings,
    drivers: [...settings.drivers, crew, marked, ...moreDrivers],
    retail: {
      default_plan: 'pass',
      plans: [
        { id: 'pass', name: 'Pass', versions: [{ from: '2022-01-01T08:00:00Z', kind: 'pass-through' }] },
        {
          id: 'plus',
          name: 'Plus',
          versions: [{ from: '2022-01-01T08:00:00Z', kind: 'mark-up', per_session: { CAD: '0.50' }, percent: '5' }],
        },
      ],
    },
    sessions: { partner_timeout_ms: 10_000 },
    ocpi: { allow_private_urls: true, first_retry_ms: 50, longest_retry_ms: 400, ...(versions ? { versions } : {}) },
  };
};

const hubSettings = () => ({
  party: { country_code: 'CA', party_id: 'HUB', name: 'Open Hub', roles: ['HUB'] },
  portal: { operator_keys: ['operator-key-of-the-hub'] },
  ocpi: { allow_private_urls: true, first_retry_ms: 50, longest_retry_ms: 400 },
});

/** Both platforms, registered with each other, all objects exchanged, and OASIS's chargers at their sockets. */
export async function setStage({
  hosting, rate, everyS, viaHub = false, versions, stationSettings = {}, tariffs, moreDrivers = [], traced = false, ...oasis
}: StageOptions): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), 'roamwatt-stage-'));
  const clockEnv = {
    ROAMWATT_CLOCK_EPOCH: DEMO_EPOCH,
    ROAMWATT_CLOCK_STARTED: new Date().toISOString(),
    ROAMWATT_CLOCK_RATE: String(rate),
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
    ...(traced ? { ROAMWATT_TRACE_DIR: join(dir, 'traces') } : {}),
  };
  const spans = () => readSpans(join(dir, 'traces'));
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closing.toReversed()) await close().catch(() => {});
    rmSync(dir, { recursive: true, force: true });
  };
  const side = async (title: string, settings: Settings) => {
    // Nine processes migrate their schemas beside each other, as where an operator starts them first.
    const database = await (hosting === 'split' ? freshDatabase() : platformDatabase());
    const name = freshPlatform();
    closing.push(() => database.drop(), () => dropStreams(name));
    const started = await startSide({
      name, dir: join(dir, title), settings, hosting, env: clockEnv,
      databaseUrl: database.url, ports: await anyPorts(),
      // Nine processes have a user each, which only a server of their own can have.
      ...(hosting === 'one' ? { natsUrl: natsUrl() } : {}),
    });
    closing.push(() => started.close());
    return started;
  };
  const settings = { oasis: { ...oasisSettings(everyS, oasis), ...(tariffs ? { tariffs } : {}) }, plunk: plunkSettings(moreDrivers, versions) };
  const titles = ['oasis', 'plunk', ...(viaHub ? ['hub'] : [])];
  const logs = () => titles.map((title) => tails(join(dir, title, 'logs'), title)).join('\n');
  const logged = (text: string) =>
    titles.flatMap((title) => [...logFiles(join(dir, title, 'logs')).values()].flat()).filter((line) => line.includes(text));
  try {
    // One failing, the other has to be there to be stopped.
    const starting = [
      side('oasis', settings.oasis),
      side('plunk', settings.plunk),
      viaHub ? side('hub', hubSettings()) : undefined,
    ] as const;
    await Promise.allSettled(starting);
    const [oasis, plunk, hub] = await Promise.all(starting);
    const chargers = startCharger({
      env: clockEnv,
      config: {
        url: oasis.platform().ocppUrl,
        settings: { MeterValueSampleInterval: everyS },
        stations: settings.oasis.stations.map(({ id, password }, n) => ({
          id, password, seed: n + 1, meterStartWh: 100_000 + n * 7_000,
          model: id.includes('-DC-') ? 'dcfc' : 'level2',
          settings: { MeterValueSampleInterval: everyS, ...stationSettings[id] },
        })),
      },
    });
    closing.push(() => chargers.stop());
    const [avery, blake, , marked] = settings.plunk.drivers;
    const drivers = { avery: avery!, blake: blake!, casey: marked! };
    const stage: Stage = {
      oasis, plunk, hub, chargers, logs, logged, spans, stop,
      driver: (name) => Portal.driver(plunk.platform().portalUrl, drivers[name].email, drivers[name].password),
    };
    await meet(stage, settings.oasis.stations.map(({ id }) => id), moreDrivers.flatMap(({ tokens }) => tokens).length);
    return stage;
  } catch (error) {
    const said = logs();
    await stop();
    throw new Error(`the stage could not be set: ${(error as Error).message}\n${said}`, { cause: error });
  }
}

type Settings = ReturnType<typeof oasisSettings> | ReturnType<typeof plunkSettings> | ReturnType<typeof hubSettings>;

async function startSide(options: PlatformOptions & { settings: Settings }): Promise<Side & { close(): Promise<void> }> {
  let platform = await startPlatform(options);
  const described: readonly DriverSettings[] = 'drivers' in options.settings ? options.settings.drivers : [];
  const pool = new pg.Pool({ connectionString: options.databaseUrl!, max: 2 });
  return {
    platform: () => platform,
    operator: Portal.operator(platform.portalUrl, options.settings.portal.operator_keys[0]!),
    query: async <Row>(sql: string, values: readonly unknown[] = []) =>
      (await pool.query(sql, [...values])).rows as Row[],
    stop: () => platform.stop(),
    drivers: described,
    async startAgain(hosting, drivers) {
      const settings = drivers ? { ...(options.settings as Settings), drivers } : options.settings;
      platform = await startPlatform({ ...options, hosting, settings });
    },
    async close() {
      await platform.stop();
      await pool.end();
    },
  };
}

const TOKENS_OF_PLUNK = 14;

/** The handshake, as operators do it, and until each side has what the other pushes at first. */
async function meet(stage: Stage, stations: readonly string[], moreTokens: number): Promise<void> {
  const { oasis, plunk, hub, chargers } = stage;
  if (hub) {
    await introduce(hub, oasis, 'Energy OASIS', 'BCT');
    await introduce(hub, plunk, 'Carbon Plunk', 'CPK');
  } else await introduce(oasis, plunk, 'Carbon Plunk', 'CPK');
  // A log-in costs a fifth of a second of a core: one is enough.
  const avery = await eventually('a driver is let in', () => stage.driver('avery'));
  const booted = stations.map((station) => chargers.until({ event: 'booted', station }));
  await Promise.all([
    ...booted,
    eventually('OASIS has the tokens of Carbon Plunk', async () => {
      const [row] = await oasis.query<{ n: number }>('SELECT count(*)::int AS n FROM tokens_auth.tokens WHERE NOT own');
      return row?.n === TOKENS_OF_PLUNK + moreTokens;
    }),
    eventually('Carbon Plunk knows the EVSEs of OASIS, free and priced', async () =>
      (await freeEvses(avery)).length === stations.length),
  ]);
}

/** One side invites, the other registers with it. */
export async function introduce(host: Side, guest: Side, name: string, partyId: string): Promise<void> {
  const { token_a, versions_url } = await invitation(host, name, partyId);
  await guest.operator.post('/v1/operator/partners', { name: 'the one who invited', token_a, versions_url });
}

/** What an operator hands to a partner who is to register: CA*RAW, unless it is told otherwise. */
export function invitation(side: Side, name: string, partyId = 'RAW'): Promise<{ token_a: string; versions_url: string }> {
  return side.operator.post('/v1/operator/invitations', { name, parties: [{ country_code: 'CA', party_id: partyId }] });
}

/** The EVSEs near Burnaby that are free and have a price on every connector. */
export async function freeEvses(driver: Portal): Promise<FoundEvse[]> {
  const { evses } = await driver.get<{ evses: FoundEvse[] }>(
    '/v1/evses?latitude=49.2488&longitude=-123.0016&radius_m=5000&available=true',
  );
  return evses.filter(({ connectors }) => connectors.every(({ price }) => price?.quote));
}

/** Asks until there is something else than undefined, null or false; fails with what it waited for. */
export async function eventually<T>(
  what: string, ask: () => Promise<T | undefined | null | false> | T | undefined | null | false, withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${withinMs} ms: ${what}${last ? ` (${(last as Error).message})` : ''}`, { cause: last });
    }
    await sleep(50);
  }
}

const LINES_SHOWN = 15;

function tails(logDir: string, title: string): string {
  return [...logFiles(logDir)].map(([name, lines]) =>
    `--- ${title}: ${name}\n${lines.slice(-LINES_SHOWN).map((line) => line.slice(0, 600)).join('\n')}`).join('\n');
}

/** The lines of each. */
function logFiles(logDir: string): Map<string, string[]> {
  const files = readdirSync(logDir, { withFileTypes: true }).filter((file) => file.isFile());
  return new Map(files.map(({ name }) => [name, readFileSync(join(logDir, name), 'utf8').trimEnd().split('\n')]));
}
