import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus } from '#bus';
import { listLocations } from '#contracts/locations';
import { invitePartner, listPartners } from '#contracts/ocpi-gateway';
import { authorization, ocpiClient, outboundAgent } from '#ocpi';
import { openDatabase } from '#postgres';
import { migrations } from '../src/migrations.ts';
import { start } from '../src/start.ts';

/*
 * EVSE status changes taken in by this process and passed on by another (docs/adr/0029) to 20 partners over real HTTP, as JSON on
 * standard output: node push.js '{ databaseUrl, natsUrl, seconds }'. First a burst, told as fast as one process can: how fast it is
 * taken in. Then 3,000 changes a second: how fast they are passed on meanwhile, in rounds with the HTTP client alone before and after
 * each, since the machine itself is not as fast all the time. Then 300, for how old a push is when it arrives.
 */

const PARTNERS = 20;
const LOCATIONS = 300;
const UNDER_WAY = 160;
const BURST = 15_000;
const MANY_PER_S = 3000;
const FEW_PER_S = 300;
const ROUNDS = 5;
/** As the README has it for a process that sends. */
const SENDING_FLAGS = ['--max-semi-space-size=64', '--single-threaded-gc'];

const { databaseUrl, natsUrl, seconds } = JSON.parse(process.argv[2]!) as { databaseUrl: string; natsUrl: string; seconds: number };
const peers = fork(join(import.meta.dirname, 'peers.js'), [String(PARTNERS)]);
const fromPeers = <T>() => new Promise<T>((resolve) => peers.once('message', (message) => resolve(message as T)));
const { ports } = await fromPeers<{ ports: number[] }>();
const counted = () => {
  const answer = fromPeers<{ taken: number; lagsMs: number[] }>();
  peers.send('count');
  return answer;
};

const cpuUs = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

const dir = mkdtempSync(join(tmpdir(), 'roamwatt-bench-'));
const config = join(dir, 'roamwatt.yaml');
writeFileSync(config, JSON.stringify({
  party: { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' }, ocpi: { allow_private_urls: true },
}));
const env = {
  ROAMWATT_PLATFORM: 'bench', DATABASE_URL: databaseUrl, NATS_URL: natsUrl, ROAMWATT_CONFIG: config,
  ROAMWATT_SECRET: randomBytes(24).toString('hex'), OCPI_PORT: '0',
};
const bus = await connectBus({ natsUrl, platform: 'bench', service: 'bench' });
const teller = fork(join(import.meta.dirname, 'teller.js'), [
  JSON.stringify({ natsUrl, platform: 'bench', locations: LOCATIONS }),
]);
const fromTeller = <T>() => new Promise<T>((resolve) => teller.once('message', (message) => resolve(message as T)));
await fromTeller();
// A new partner gets all that is listed: here all of it comes by changes.
await bus.answer(listLocations, async (requests) => requests.map(() => ({ objectsJson: [], total: 0 })));
const { urls } = await start({ ...env, OCPI_PROCESS: 'listening' });
const sender = fork(join(import.meta.dirname, '../src/main.js'), {
  execArgv: [...process.execArgv, ...SENDING_FLAGS],
  env: { ...process.env, ...env, OCPI_PROCESS: 'sending', OCPI_PUBLIC_URL: new URL(urls!['ocpi']!).origin },
});
await new Promise((resolve) => sender.once('message', resolve));
const gatewayRows = await openDatabase({ url: databaseUrl, schema: 'ocpi_gateway', migrations });
for (const [n, port] of ports.entries()) await register(n, port);

// Each partner has every Location first.
let newestSinceMs = 0;
await tell(LOCATIONS);
await passedOn();
await counted();

const burstFromMs = performance.now();
await tell(BURST);
const takenInMs = (await takenIn()) - burstFromMs;
await passedOn();
await counted();

const paceSeconds = Math.max(5, seconds);
const rounds: Round[] = [];
for (let alone = await clientAlone(); rounds.length < ROUNDS;) {
  const before = await cpuOfAll();
  const fromMs = performance.now();
  await tellEvenly(MANY_PER_S, paceSeconds);
  const tookMs = performance.now() - fromMs;
  const { taken, lagsMs } = await counted();
  const after = await cpuOfAll();
  const behindMs = (await takenIn()) - fromMs - tookMs;
  await passedOn();
  await counted();
  const next = await clientAlone();
  const perSecond = (taken / tookMs) * 1000;
  rounds.push({
    behindMs, lagsMs, perSecond,
    alonePerSecond: mean(alone.perSecond, next.perSecond), aloneUs: mean(alone.us, next.us),
    usedUs: (who) => (after[who] - before[who]) / taken,
  });
  alone = next;
}

await tellEvenly(FEW_PER_S, paceSeconds);
await passedOn();
const { lagsMs, taken: steadily } = await counted();

const pushed = await size();
const middle = (of: (round: Round) => number) => shareOf(rounds.map(of), 0.5);
const share = ({ perSecond, alonePerSecond }: Round) => perSecond / alonePerSecond;
const manyLagsMs = rounds.flatMap(({ lagsMs: lags }) => lags);
console.log(
  JSON.stringify([
    {
      what: `the HTTP client alone, ${UNDER_WAY} under way to ${PARTNERS} partners`,
      figure: middle(({ alonePerSecond }) => alonePerSecond),
      unit: 'requests/s',
    },
    {
      what: `a burst of changes of ${LOCATIONS} EVSEs taken in, while they are passed on to ${PARTNERS} partners`,
      figure: (BURST / takenInMs) * 1000,
      unit: 'changes/s',
      wanted: `>= ${MANY_PER_S.toLocaleString('en')}`,
    },
    { what: `at ${MANY_PER_S} changes/s: the last is taken in`, figure: middle(({ behindMs }) => behindMs), unit: 'ms later' },
    { what: '  half at the partner within', figure: shareOf(manyLagsMs, 0.5), unit: 'ms' },
    { what: '  99 % within', figure: shareOf(manyLagsMs, 0.99), unit: 'ms' },
    { what: '  the newest of each passed on meanwhile', figure: middle(({ perSecond }) => perSecond), unit: 'pushes/s' },
    {
      what: `  passed on / the HTTP client alone, the middle of ${ROUNDS} rounds`,
      figure: middle(share),
      unit: 'x',
      of: 'the HTTP client alone',
      wanted: '>= 0.5',
    },
    { what: '    the least', figure: Math.min(...rounds.map(share)), unit: 'x' },
    { what: '    the most', figure: Math.max(...rounds.map(share)), unit: 'x' },
    { what: '  processor time of one: who sends', figure: middle(({ usedUs }) => usedUs('sender')), unit: 'µs' },
    { what: '    the HTTP client alone', figure: middle(({ aloneUs }) => aloneUs), unit: 'µs' },
    {
      what: '    the HTTP client alone / who sends: what is sent with a processor of its own',
      figure: middle(({ aloneUs, usedUs }) => aloneUs / usedUs('sender')),
      unit: 'x',
    },
    { what: '    who takes the changes in', figure: middle(({ usedUs }) => usedUs('listener')), unit: 'µs' },
    { what: '    PostgreSQL', figure: middle(({ usedUs }) => usedUs('postgres')), unit: 'µs' },
    { what: '    the partners', figure: middle(({ usedUs }) => usedUs('peers')), unit: 'µs' },
    { what: '    who tells of the changes', figure: middle(({ usedUs }) => usedUs('teller')), unit: 'µs' },
    {
      what: `at ${FEW_PER_S} changes/s: half at the partner within`,
      figure: shareOf(lagsMs, 0.5),
      unit: 'ms',
    },
    { what: '  99 % within', figure: shareOf(lagsMs, 0.99), unit: 'ms', wanted: '< 2,000' },
    { what: '  pushes per change and partner', figure: steadily / (paceSeconds * FEW_PER_S * PARTNERS), unit: 'x' },
    { what: 'kept per Location and partner', figure: pushed, unit: 'bytes' },
  ]),
);
sender.disconnect();
rmSync(dir, { recursive: true });
process.exit(0);

/** At so many changes a second, beside the client alone right before and after. */
interface Round {
  readonly perSecond: number;
  readonly lagsMs: readonly number[];
  readonly behindMs: number;
  readonly alonePerSecond: number;
  readonly aloneUs: number;
  /** Processor time of a push, with its part of what was taken in, µs. */
  readonly usedUs: (who: keyof Awaited<ReturnType<typeof cpuOfAll>>) => number;
}

function mean(a: number, b: number): number {
  return (a + b) / 2;
}

/** Requests a second, and what one takes of this process, µs. */
async function clientAlone(): Promise<{ perSecond: number; us: number }> {
  const fromUs = cpuUs();
  const agent = outboundAgent({ allowPrivate: true });
  const clients = ports.map((port) => ({
    client: ocpiClient({ token: 'token', allowPrivate: true, agent, from: { country_code: 'CA', party_id: 'BCT' } }),
    port,
  }));
  const body = JSON.stringify({ status: 'CHARGING', last_updated: new Date().toISOString() });
  let done = 0;
  const untilMs = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: UNDER_WAY }, async (_, n) => {
    const { client, port } = clients[n % clients.length]!;
    for (; performance.now() < untilMs; done += 1) await client.patch(`http://127.0.0.1:${port}/locations/CA/BCT/L-1/E-1`, body);
  }));
  const usedUs = cpuUs() - fromUs;
  await counted();
  await agent.close();
  return { perSecond: done / seconds, us: usedUs / done };
}

/** Of which this share is less. */
function shareOf(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
}

/** Processor time so far, µs. */
async function cpuOfAll() {
  const { rows } = await gatewayRows.query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
  const postgres = rows.reduce((sum, { pid }) => sum + cpuOf(pid), 0);
  return { listener: cpuUs(), sender: cpuOf(sender.pid!), postgres, peers: cpuOf(peers.pid!), teller: cpuOf(teller.pid!) };
}

/** Of a process that has ended, nothing. */
function cpuOf(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return 0;
  const text = readFileSync(file, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // In ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function register(n: number, port: number): Promise<void> {
  const partyId = `P${String(n).padStart(2, '0')}`;
  const { tokenA, versionsUrl } = await bus.ask(invitePartner, {
    name: `Partner ${n}`,
    parties: [{ party: { countryCode: 'CA', partyId } }],
  });
  const role = { role: 'EMSP', party_id: partyId, country_code: 'CA', business_details: { name: `Partner ${n}` } };
  await fetch(new URL('/ocpi/2.2.1/credentials', versionsUrl), {
    method: 'POST', headers: { Authorization: authorization(tokenA), 'Content-Type': 'application/json' },
    body: JSON.stringify({ token: `token-${n}`, url: `http://127.0.0.1:${port}/versions`, roles: [role] }),
  });
}

/** One change after the other, of all Locations in turn. */
async function tell(count: number): Promise<void> {
  const answer = fromTeller<{ since: number }>();
  teller.send(count);
  ({ since: newestSinceMs } = await answer);
}

/** So many changes a second, a tenth of them each tenth of a second. */
async function tellEvenly(perSecond: number, forSeconds: number): Promise<void> {
  const fromMs = performance.now();
  for (let turn = 1; turn <= forSeconds * 10; turn += 1) {
    await tell(perSecond / 10);
    await sleep(Math.max(0, fromMs + turn * 100 - performance.now()));
  }
}

/** When the gateway has committed the newest of each. */
async function takenIn(): Promise<number> {
  for (;;) {
    const { rows: [row] } = await gatewayRows.query<{ locations: number; oldest: bigint }>(
      'SELECT count(*)::int AS locations, min(updated_ms) AS oldest FROM shared_locations');
    if (row?.locations === LOCATIONS && Number(row.oldest) >= newestSinceMs) return performance.now();
    await sleep(5);
  }
}

/** When nothing waits any more; seldom asked, since to count what waits is work for PostgreSQL. */
async function passedOn(): Promise<void> {
  await takenIn();
  for (;;) {
    const { partners } = await bus.ask(listPartners, {});
    if (partners.length === PARTNERS && partners.every(({ waiting }) => waiting === 0)) return;
    await sleep(250);
  }
}

async function size(): Promise<number> {
  const { rows: [row] } = await gatewayRows.query<{ bytes: number }>('SELECT avg(pg_column_size(p.*))::float8 AS bytes FROM pushed p');
  return row?.bytes ?? 0;
}
