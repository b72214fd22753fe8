import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Cdr, exampleCdr, exampleTariff, read } from '#ocpi';
import { checkoutRoot, removeRun, runFolder, startNats, startPostgres } from '#servers';
import { benchAsk, benchTold, RAW_REQUEST } from '../libs/bus/bench/bus.ts';
import { benchVerify, exportLines, HASH_ALONE } from '../libs/chain/bench/verify.ts';
import { benchAppend } from '../libs/event-store/bench/append.ts';
import {
  checkAndPrice, type Document, fewPeriods, manyPeriods, memoryOver, parseAndPrice, parseOnly, priceOnly,
} from '../libs/pricing/bench/price.ts';
import { verifyFile } from '../services/cli/src/verify-file.ts';
import { Portal, registerWith } from './portal.ts';
import { setStage } from './demo-stage.ts';
import { benchAuthorize } from './bench-authorize.ts';
import { benchLocations } from './bench-locations.ts';
import { type BenchRow as Row, ratio, round } from './bench-row.ts';
import { argumentsOf } from './help.ts';
import { ensureDatabase } from './platform.ts';
import { SERVICE_FLAGS } from './supervisor.ts';

const { values, positionals } = argumentsOf('bench', {
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    cdrs: { type: 'string', default: '20000' },
    locations: { type: 'string', default: '300000' },
    json: { type: 'boolean', default: false },
  },
});

for (const name of ['seconds', 'cdrs', 'locations'] as const) {
  if (Number(values[name]) > 0) continue;
  console.error(`--${name} ${values[name]}: is a number above 0`);
  process.exit(2);
}

const benches: Readonly<Record<string, (seconds: number) => Promise<Row[]>>> = {
  async append(seconds) {
    const rows = await withServers(({ databaseUrl }) => benchAppend({ url: databaseUrl, events: 200_000, seconds }));
    const rate = (name: string) => rows.find((row) => row.name.startsWith(name))!.eventsPerSecond;
    const [insert, copy] = [rate('one INSERT'), rate('COPY')];
    const store = rows.filter(({ name }) => !name.startsWith('one INSERT') && !name.startsWith('COPY'));
    return [
      ...rows.map(({ name, eventsPerSecond }) => ({ what: name, figure: Math.round(eventsPerSecond), unit: 'events/s' })),
      ...store.flatMap(({ name, eventsPerSecond }) => [
        ratio(name, eventsPerSecond, insert, 'one INSERT per transaction', '>= 4'),
        ratio(name, eventsPerSecond, copy, 'COPY', '>= 0.4'),
      ]),
    ];
  },

  async told(seconds) {
    const rows = await withServers(({ databaseUrl, natsUrl }) => benchTold({ databaseUrl, natsUrl, seconds, facts: 20_000 }));
    return rows.map(({ name, factsPerSecond }) => ({ what: name, figure: Math.round(factsPerSecond), unit: 'facts/s' }));
  },

  async ask(seconds) {
    const rows = await withServers(({ databaseUrl, natsUrl }) => benchAsk({ databaseUrl, natsUrl, seconds, facts: 0 }));
    return rows.flatMap(({ name, underWay, perSecond, p50Us, p99Us }) => {
      const raw = rows.find((row) => row.underWay === underWay && row.name === RAW_REQUEST);
      return [
        { what: `${name}, ${underWay} under way`, figure: Math.round(perSecond), unit: 'asks/s' },
        { what: '  half within', figure: Math.round(p50Us), unit: 'µs' },
        { what: '  99 % within', figure: Math.round(p99Us), unit: 'µs' },
        ...(raw && raw.name !== name ? [ratio(`${name}, ${underWay} under way`, perSecond, raw.perSecond, RAW_REQUEST, '>= 0.85')] : []),
      ];
    });
  },

  async price(seconds) {
    const [few, many] = [fewPeriods(), [manyPeriods()]];
    const documents = wholeCdrs();
    const priced = (what: string, cases: typeof few, wanted: string) => {
      const [price, parse] = [priceOnly(cases, seconds), parseOnly(cases, seconds)];
      return [
        { what, ...perSecond(price), wanted },
        ratio(what, price.perSecond, parse.perSecond, 'JSON.parse alone of the same', 'none'),
      ];
    };
    return [
      ...priced('price a charge of few periods', few, '>= 500,000'),
      ...priced('price a charge of 6 periods, 5 elements', many, '>= 50,000'),
      { what: 'parse and price, few periods', ...perSecond(parseAndPrice(few, seconds)), wanted: '>= 100,000' },
      ratio(
        'parse and price',
        parseAndPrice(few, seconds).perSecond,
        parseOnly(few, seconds).perSecond,
        'JSON.parse alone',
        'none',
      ),
      { what: 'parse and price whole CDRs', ...perSecond(checkAndPrice(documents, (value) => value, seconds)) },
      { what: 'parse, check by zod and price whole CDRs', ...perSecond(checkAndPrice(documents, validCdr, seconds)) },
      {
        what: 'memory grown over 1,000,000 charges',
        figure: round(memoryOver(few, 1_000_000).grownBytes / 1e6),
        unit: 'MB',
        wanted: '<= 5',
      },
    ];
  },

  /** A ledger's export verified from memory: entries of 3 kB with private parts of 400 bytes. */
  async ledger(seconds) {
    const rows = await benchVerify({ seconds });
    const alone = rows.filter(({ name }) => name.startsWith(HASH_ALONE));
    const verify = rows.at(-1)!;
    return [
      ...rows.flatMap(({ name, megabytesPerSecond, entriesPerSecond }) => [
        { what: name, figure: Math.round(megabytesPerSecond), unit: 'MB/s' },
        { what: '  that is', figure: Math.round(entriesPerSecond), unit: 'entries/s' },
      ]),
      ...alone.map(({ name, megabytesPerSecond }, n) =>
        ratio(verify.name, verify.megabytesPerSecond, megabytesPerSecond, name, n === 0 ? '>= 0.5' : 'none')),
      ...(await verifiedFile(seconds)),
      ...(await withServers(({ databaseUrl }) => recordedAndListed(databaseUrl, seconds))),
    ];
  },

  locations(seconds) {
    return benchLocations({ seconds, locations: Number(values.locations) });
  },

  /** EVSE status changes taken in and passed on to 20 partners, each on a port of its own, over real HTTP. */
  push: (seconds) => withServers((urls) => ofService('services/ocpi-gateway/bench/push.js', { ...urls, seconds })),

  authorize() {
    return benchAuthorize();
  },

  /** From nothing running to the handshake of two platforms. */
  async start() {
    const fromMs = Date.now();
    const stage = await setStage({ split: false, trace: false, rate: 90 });
    try {
      const [oasis, plunk] = [stage.oasis, stage.plunk].map((side) =>
        Portal.operator(side.portalUrl, side.settings.portal.operator_keys[0]!),
      ) as [Portal, Portal];
      const { partner } = await registerWith(oasis, plunk);
      if (partner.state !== 'registered') throw new Error(`the handshake ended as ${partner.state}`);
      return [
        {
          what: 'two platforms up and registered with each other',
          figure: (Date.now() - fromMs) / 1000,
          unit: 's',
          wanted: '<= 15',
        },
      ];
    } finally {
      await stage.stop();
    }
  },
};

const names = positionals.length > 0 ? positionals : Object.keys(benches);
const unknown = names.find((name) => !Object.hasOwn(benches, name));
if (unknown !== undefined) {
  console.error(`There is no bench "${unknown}": ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
const measured: Record<string, Row[]> = {};
for (const name of names) {
  process.stderr.write(`measuring ${name} …\n`);
  const rows = await benches[name]!(Number(values.seconds));
  measured[name] = rows;
  writeResult(name, rows);
  if (!values.json) printTable(name, rows);
}
if (values.json) console.log(JSON.stringify(measured));
process.exit(0);

/** As `npx roamwatt ledger verify` does it with a large file; by the clock on the wall, against one processor's SHA-256. */
async function verifiedFile(seconds: number): Promise<Row[]> {
  const dir = runFolder('bench');
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'ledger.jsonl');
  const texts = writeExport(file, { entries: 100_000, texts: 20_000 });
  const spent = { alone: 0, one: 0, two: 0 };
  const verify = async (parallelFromBytes: number) => {
    const fromMs = performance.now();
    const { damage } = await verifyFile(file, { parallelFromBytes });
    if (damage) throw new Error(`the bench's own export does not verify: ${damage.detail}`);
    return performance.now() - fromMs;
  };
  for (const untilMs = performance.now() + seconds * 1000; performance.now() < untilMs;) {
    const fromMs = performance.now();
    for (let n = 0; n < 5; n += 1) for (const text of texts) hash('sha256', text, 'hex');
    spent.alone += performance.now() - fromMs;
    spent.one += await verify(Infinity);
    spent.two += await verify(0);
  }
  removeRun(dir);
  const of = 'node:crypto by hash on one';
  return [
    ratio('verify a file of 400 MB on one processor', spent.alone, spent.one, of, 'none'),
    ratio('verify a file of 400 MB on two processors', spent.alone, spent.two, of, '>= 0.5'),
  ];
}

/** The texts of the first entries are returned, to be hashed alone. */
function writeExport(file: string, { entries, texts }: { readonly entries: number; readonly texts: number }): Buffer[] {
  const kept: Buffer[] = [];
  let lines: string[] = [];
  const flush = () => {
    appendFileSync(file, lines.map((line) => `${line}\n`).join(''));
    lines = [];
  };
  for (const { line, stored } of exportLines(entries, 3_000)) {
    lines.push(line);
    if (kept.length < texts * 2) kept.push(...stored.map((text) => Buffer.from(text)));
    if (lines.length === 1_000) flush();
  }
  flush();
  return kept;
}

function recordedAndListed(url: string, seconds: number): Promise<Row[]> {
  return ofService('services/cdr-ledger/bench/ledger.js', { url, seconds, cdrs: Number(values.cdrs) });
}

/** A service's own bench, in a process of its own, as its processes are: nobody imports a service. */
async function ofService(main: string, given: object): Promise<Row[]> {
  const file = join(import.meta.dirname, '..', main);
  const { stdout } = await promisify(execFile)(process.execPath, [...SERVICE_FLAGS, file, JSON.stringify(given)], { maxBuffer: 1 << 24 });
  const rows = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
    what: string;
    figure: number;
    unit: string;
    of?: string;
    wanted?: string;
  }[];
  return rows.map(({ of, ...row }) => {
    const figure = round(row.figure);
    return { ...row, figure, ...(of === undefined ? {} : { ratio: figure, reference: of }) };
  });
}

/** The bench's charges in whole CDRs, but for those whose levels only a Session may tell. */
function wholeCdrs(): Document[] {
  const written = fewPeriods().map(({ charge, timeZone }) => {
    const tariffs = charge.tariffs!.map((tariff) => ({ ...exampleTariff, ...tariff }));
    return { text: JSON.stringify({ ...exampleCdr, ...charge, tariffs }), timeZone };
  });
  return written.filter(({ text }) => read(Cdr, JSON.parse(text)).ok);
}

function validCdr(value: unknown): Cdr {
  const valid = read(Cdr, value);
  if (!valid.ok) throw new Error(valid.message);
  return valid.value;
}

function perSecond({ perSecond: figure }: { readonly perSecond: number }) {
  return { figure: Math.round(figure), unit: 'a second' };
}

async function withServers<T>(measure: (urls: { databaseUrl: string; natsUrl: string }) => Promise<T>): Promise<T> {
  const dir = runFolder('bench');
  const [postgres, nats] = await Promise.all([
    startPostgres({ dir: join(dir, 'postgres'), passing: true }),
    startNats({ dir: join(dir, 'nats') }),
  ]);
  try {
    return await measure({ databaseUrl: await ensureDatabase(postgres.url, 'bench'), natsUrl: nats.url });
  } finally {
    await Promise.all([postgres.stop(), nats.stop()]);
    removeRun(dir);
  }
}

function writeResult(name: string, rows: readonly Row[]): void {
  const folder = join(checkoutRoot(), 'docs/bench');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, `${name}.json`),
    `${JSON.stringify({ bench: name, at: new Date().toISOString().slice(0, 10), rows }, undefined, 2)}\n`,
  );
}

function printTable(name: string, rows: readonly Row[]): void {
  console.log(`\n${name}`);
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, figure, unit, wanted } of rows) {
    console.log(`  ${what.padEnd(width)}  ${figure.toLocaleString('en-CA').padStart(12)} ${unit}${wanted ? `   (wanted ${wanted})` : ''}`);
  }
}
