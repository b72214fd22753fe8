import { Agent, get, type IncomingMessage } from 'node:http';
import type pg from 'pg';
import { authorization, exampleLocation, nextLink } from '#ocpi';
import { type BenchRow, half, ratio, round } from './bench-row.ts';
import { load, requests } from './bench-load.ts';
import { type BenchStage, cpuSeconds, memoryMb, onBenchStage, serverCpuSeconds } from './bench-stage.ts';

const PARTNERS_LOCATIONS = 20_000;
const CONNECTIONS = 64;
const PAGES_BY_TURNS = 100;
const statuses = ['CHARGING', 'AVAILABLE', 'BLOCKED', 'OUTOFORDER', 'RESERVED'];
const at = '2022-02-01T17:00:00Z';

/** Lists of many Locations page by page, and what a partner pushes of its EVSEs. */
export async function benchLocations({ seconds, locations }: { seconds: number; locations: number }): Promise<BenchRow[]> {
  return onBenchStage(['locations'], async (stage) => {
    await fill(stage.db, locations);
    return [...await paged(stage), ...await patched(stage, seconds)];
  });
}

/** Locations of three EVSEs each, ours and the partner's, with what a search needs of the partner's. */
async function fill(db: pg.Client, locations: number): Promise<void> {
  const evse = { ...exampleLocation.evses![0]!, last_updated: at };
  const text = (party_id: string) => JSON.stringify({
    ...exampleLocation, country_code: 'CA', party_id, id: '@@', last_updated: at,
    evses: [1, 2, 3].map((n) => ({ ...evse, uid: `@@-${n}`, evse_id: `CA*${party_id}*E@@*${n}` })),
  });
  const insert = `INSERT INTO locations.locations (party, location_id, own, last_updated, location)
    SELECT $1, 'l' || n, $2, $3, replace($4, '@@', 'L' || n) FROM generate_series(1, $5::int) n`;
  await db.query(insert, ['ca*bct', true, at, text('BCT'), locations]);
  await db.query(insert, ['ca*isl', false, at, text('ISL'), PARTNERS_LOCATIONS]);
  await db.query(
    `INSERT INTO locations.evses (party, location_id, evse_uid, published, status, standards, latitude, longitude, last_updated)
    SELECT 'ca*isl', 'l' || n, 'L' || n || '-' || e, true, 'AVAILABLE', '{}', 49, -123, $2 FROM generate_series(1, $1::int) n, generate_series(1, 3) e`,
    [PARTNERS_LOCATIONS, at],
  );
  await db.query('VACUUM ANALYZE locations.locations');
  await db.query('VACUUM ANALYZE locations.evses');
}

async function paged({ db, ocpi, token, gateway, others: [locations] }: BenchStage): Promise<BenchRow[]> {
  const agent = new Agent({ keepAlive: true });
  const read = async (url: string) => {
    const fromMs = performance.now();
    const count = dataOf(await (await got(url, agent, token)).body).length;
    return { ms: performance.now() - fromMs, count };
  };
  const first = `${ocpi}/sender/locations`;
  /**
   * By turns with `between`, some pages at a time: what else the machine does is shared by both. The page behind is
   * asked for as soon as a page's Link is there, as in pulls of our own (`pulled`).
   */
  const pull = async (between: () => Promise<unknown>) => {
    let [count, pages, last, ms] = [0, 0, first, 0];
    let ahead: Promise<Got> | undefined;
    for (let url: string | undefined = first; url !== undefined; pages += 1) {
      last = url;
      const fromMs = performance.now();
      const page: Got = await (ahead ?? got(url, agent, token));
      url = nextLink(page.link);
      const turnIsOver = url === undefined || pages % PAGES_BY_TURNS === PAGES_BY_TURNS - 1;
      ahead = turnIsOver ? undefined : got(url!, agent, token);
      count += dataOf(await page.body).length;
      ms += performance.now() - fromMs;
      if (turnIsOver) await between();
    }
    return { count, pages, last, perSecond: count / (ms / 1000) };
  };
  const before = await pull(async () => {}); // Not counted: compiled code, the database's cache.
  const rss = [gateway, locations!].map(memoryMb);
  const size = (await read(first)).count;
  const raw = await rawPull(db, size);
  const full = await pull(raw.next);
  const grown = [gateway, locations!].map((unit, n) => memoryMb(unit) - rss[n]!);
  await db.query('COMMIT');
  if (full.count !== raw.count() || before.count !== raw.count()) throw new Error(`${full.count} Locations were listed of ${raw.count()}`);
  const byOffset = `${first}?offset=${full.count - size}`;
  const ms = { first: [] as number[], last: [] as number[], offset: [] as number[] };
  for (let n = 0; n < 60; n += 1) {
    ms.first.push((await read(first)).ms);
    ms.last.push((await read(full.last)).ms);
    ms.offset.push((await read(byOffset)).ms);
  }
  agent.destroy();
  return [
    { what: `page 1 of ${full.count} Locations`, figure: round(half(ms.first)), unit: 'ms' },
    { what: `page ${full.pages}, by its Link`, figure: round(half(ms.last)), unit: 'ms' },
    ratio(`page ${full.pages}, by its Link`, half(ms.first), half(ms.last), 'page 1, in speed', '>= 0.9'),
    { what: `page ${full.pages}, by an offset of one's own`, figure: round(half(ms.offset)), unit: 'ms' },
    ratio(`page ${full.pages}, by an offset of one's own`, half(ms.first), half(ms.offset), 'page 1, in speed', 'none'),
    { what: 'all pages pulled', figure: Math.round(full.perSecond), unit: 'Locations/s' },
    { what: 'the same rows by SQL and JSON.parse', figure: Math.round(raw.perSecond()), unit: 'Locations/s' },
    ratio('all pages pulled', full.perSecond, raw.perSecond(), 'SQL and JSON.parse', '>= 0.5'),
    { what: 'memory of ocpi-gateway and locations before the pull', figure: Math.round(rss[0]! + rss[1]!), unit: 'MB' },
    { what: '  grown by it', figure: Math.round(grown[0]! + grown[1]!), unit: 'MB', wanted: '<= 30' },
  ];
}

/** A page whose body is on its way. */
interface Got {
  readonly link: string | undefined;
  readonly body: Promise<string>;
}

function dataOf(body: string): unknown[] {
  return (JSON.parse(body) as { data: unknown[] }).data;
}

function got(url: string, agent: Agent, token: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { Authorization: authorization(token) } }, (response) => {
      const { link } = response.headers;
      resolve({ link: typeof link === 'string' ? link : undefined, body: textOf(response) });
    }).on('error', reject);
  });
}

function textOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject).on('end', () => resolve(Buffer.concat(chunks).toString()));
  });
}

/** The rows through a cursor, by as many as a page has. */
async function rawPull(db: pg.Client, size: number) {
  await db.query('BEGIN');
  await db.query('DECLARE listed CURSOR FOR SELECT location FROM locations.locations WHERE own ORDER BY created');
  let [count, ms] = [0, 0];
  const next = async () => {
    const fromMs = performance.now();
    for (let page = 0; page < PAGES_BY_TURNS; page += 1) {
      const { rows } = await db.query<{ location: string }>(`FETCH ${size} FROM listed`);
      if (rows.length === 0) break;
      for (const { location } of rows) JSON.parse(location);
      count += rows.length;
    }
    ms += performance.now() - fromMs;
  };
  return { next, count: () => count, perSecond: () => count / (ms / 1000) };
}

/** Of each, so that what is compared is compiled alike, however fast it is. */
const WARM_UP = 30_000;

async function patched(stage: BenchStage, seconds: number): Promise<BenchRow[]> {
  const { ocpi, token, gateway, others: [locations], servers } = stage;
  let n = 0;
  const request = (): string => {
    n += 1;
    const id = `L${1 + (n * 7_919) % PARTNERS_LOCATIONS}`;
    // Each EVSE's next one is later, and another status.
    const lap = 1 + Math.floor(n / PARTNERS_LOCATIONS);
    const body = JSON.stringify({
      status: statuses[(lap - 1) % statuses.length],
      last_updated: new Date(Date.parse(at) + lap * 1_000).toISOString(),
    });
    return `PATCH /ocpi/2.2.1/receiver/locations/CA/ISL/${id}/${id}-2 HTTP/1.1\r\nHost: bench\r\nAuthorization: ${authorization(token)}\r\n`
      + `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const [empty, atOnce] = [
    await stage.run('empty', 'ocpi-gateway/bench/empty.js'),
    await stage.run('at-once', 'ocpi-gateway/bench/at-once.js'),
  ];
  const turns = [new URL(empty.urls()['ocpi']!), new URL(atOnce.urls()['ocpi']!), new URL(ocpi)].map((url) => ({
    url,
    sent: 0,
    takenS: 0,
  }));
  for (const { url } of turns) await requests(url, WARM_UP, CONNECTIONS, request);
  const spent = () => [
    ...[empty, atOnce, gateway, locations!].map(cpuSeconds),
    serverCpuSeconds(servers.postgres),
    serverCpuSeconds(servers.nats),
    clientCpuSeconds(),
  ];
  // By turns: what else the machine does is shared by all. Each process is counted in its own turn.
  const cpu = [0, 0, 0, 0, 0, 0, 0];
  for (let round = 0; round < Math.max(1, Math.round(seconds)); round += 1) {
    for (const turn of turns) {
      const [before, fromMs, sent] = [spent(), performance.now(), n];
      await load(turn.url, 1, CONNECTIONS, request);
      turn.takenS += (performance.now() - fromMs) / 1000;
      turn.sent += n - sent;
      const after = spent();
      for (let of = 0; of < cpu.length; of += 1) if (turns[Math.min(of, 2)] === turn) cpu[of]! += after[of]! - before[of]!;
    }
  }
  const perSecond = turns.map(({ sent, takenS }) => sent / takenS);
  const microseconds = (of: number, turn: number) => Math.round((cpu[of]! / turns[turn]!.sent) * 1e6);
  return [
    { what: 'PATCHes of an EVSE\'s status taken in, durable before the answer', figure: Math.round(perSecond[2]!), unit: 'PATCHes/s' },
    { what: 'the same server, nothing read and nothing done', figure: Math.round(perSecond[0]!), unit: 'requests/s' },
    { what: 'the gateway\'s own server, its handler empty', figure: Math.round(perSecond[1]!), unit: 'requests/s' },
    ratio('PATCHes', perSecond[2]!, perSecond[0]!, 'nothing read and nothing done', '>= 0.25'),
    ratio('PATCHes', perSecond[2]!, perSecond[1]!, 'an empty handler', '>= 0.25'),
    ...(['ocpi-gateway', 'locations', 'PostgreSQL', 'nats-server', 'the client'] as const).map((what, unit) =>
      ({ what: `  processor time of ${what}, each PATCH`, figure: microseconds(unit + 2, 2), unit: 'µs' })),
    { what: '  processor time of the server that does nothing, each', figure: microseconds(0, 0), unit: 'µs' },
    { what: '  processor time of the server before an empty handler, each', figure: microseconds(1, 1), unit: 'µs' },
  ];
}

function clientCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
