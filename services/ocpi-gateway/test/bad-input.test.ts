import { createHash } from 'node:crypto';
import { Client } from 'undici';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { invitePartner } from '#contracts/ocpi-gateway';
import { authorization, type Cdr, exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken, type Token } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { RawHttp } from './raw-http.ts';
import { call, ocpi, openSide, origin, type Side } from './side.ts';

// What nobody should send, at a gateway that gives a request five seconds to arrive. Nothing of it is kept.

const RECEIVE_MS = 5_000;
const party = { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' };
const card: Token = { ...exampleToken, party_id: 'MTL', uid: '04AA' };

let oasis: Side;
let montreal: HandPartner;
let db: Database;

beforeAll(async () => {
  oasis = await openSide({ party, ocpi: { ...ocpi, receive_timeout_ms: RECEIVE_MS, pull: { first_s: 3_600 } } });
  db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['SENDER locations', 'SENDER commands', 'SENDER cdrs'], ['CPO']);
  await montreal.register(oasis);
});
afterAll(async () => {
  await db?.close();
  await montreal?.close();
  await oasis?.close();
});

const get = (path: string, more: object = {}) => call(oasis, `/ocpi/2.2.1/${path}`, { token: montreal.token, ...more });
const tokenPath = 'receiver/tokens/CA/MTL/04AA';

/** All rows of the gateway, but for the counts of how a partner writes its requests, and what its neighbours were asked to do. */
async function kept(): Promise<object> {
  const { rows: tables } = await db.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'ocpi_gateway' AND table_type = 'BASE TABLE'
     AND table_name NOT IN ('partner_quirks_seen', 'due_lane') ORDER BY 1`,
  );
  const digests = await Promise.all(tables.map(async ({ name }) => {
    const { rows } = await db.query<{ row: string }>(`SELECT t::text AS row FROM ocpi_gateway."${name}" t ORDER BY 1`);
    // What the workers hold and when they look again moves by itself.
    return [
      name,
      ['listening', 'listening_replica', 'due'].includes(name)
        ? rows.length
        : createHash('sha256')
            .update(rows.map(({ row }) => row).join('\n'))
            .digest('hex'),
    ];
  }));
  const { taken, orders, results } = oasis.neighbours;
  return { ...Object.fromEntries(digests) as object, neighbours: [taken.length, orders.length, results.length] };
}

/** What a registration sets going has come to rest. */
async function settled(): Promise<void> {
  let before = '';
  let same = 0;
  await vi.waitFor(async () => {
    const now = JSON.stringify(await kept());
    same = now === before ? same + 1 : 0;
    before = now;
    expect(same).toBe(3);
  }, { timeout: 60_000, interval: 300 });
}

async function keepsNothing(of: () => Promise<void>): Promise<void> {
  const before = await kept();
  await of();
  expect(await kept()).toEqual(before);
}

const at = '2022-02-01T00:00:00Z';
const deep = (levels: number) => `{"more":${'['.repeat(levels)}${']'.repeat(levels)}}`;
const wrong: readonly [what: string, method: string, path: string, body: unknown, http: number, says: RegExp][] = [
  ['a body that breaks off', 'PUT', tokenPath, '{"uid":', 400, /./],
  ['no body', 'PUT', tokenPath, '', 400, /./],
  ['a body that is no UTF-8', 'PUT', tokenPath, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, /UTF-8/],
  ['a list where an object belongs', 'PUT', tokenPath, [card], 200, /./],
  ['a text where an object belongs', 'PUT', tokenPath, '"card"', 200, /./],
  ['null', 'PUT', tokenPath, 'null', 200, /./],
  ['a number for a text', 'PUT', tokenPath, { ...card, uid: 4 }, 200, /uid/],
  ['an object for a boolean', 'PUT', tokenPath, { ...card, valid: {} }, 200, /valid/],
  ['a field of Object.prototype', 'PUT', tokenPath, '{"__proto__":{"uid":"04AA"}}', 200, /./],
  ['lists in lists in lists', 'PUT', tokenPath, deep(100), 200, /deeper/],
  ['a hundred thousand lists in each other', 'POST', 'receiver/cdrs', deep(100_000), 200, /deeper/],
  ['a number without an end', 'POST', 'receiver/cdrs', `{"total_energy":1${'0'.repeat(400_000)}1}`, 200, /digits/],
  ['CR and LF in an id', 'POST', 'receiver/cdrs', { ...exampleCdr, party_id: 'MTL', id: 'a\r\nX-Evil: 1' }, 200, /id/],
  ['NUL in an id', 'POST', 'receiver/cdrs', { ...exampleCdr, party_id: 'MTL', id: 'a\0b' }, 200, /\\u0000/],
  ["a foreign party's CDR", 'POST', 'receiver/cdrs', exampleCdr, 200, /CA\*BCT/],
  [
    "another party's place",
    'PUT',
    'receiver/tokens/CA/CPK/04AA',
    { ...card, party_id: 'CPK' },
    404,
    /none of your roles/,
  ],
  ["another party's object", 'PUT', tokenPath, { ...card, party_id: 'CPK' }, 200, /party_id/],
  [
    "a foreign party's Location",
    'PATCH',
    'receiver/locations/CA/BCT/L1',
    { name: 'mine', last_updated: '2022-02-01T00:00:00Z' },
    404,
    /none of your roles/,
  ],
  ["another party's Session", 'GET', 'receiver/sessions/CA/CPK/S-1', undefined, 404, /none of your roles/],
  ["another party's Tariff, read", 'GET', 'receiver/tariffs/CA/CPK/T-1', undefined, 404, /none of your roles/],
  ["another party's Tariff", 'PUT', 'receiver/tariffs/CA/CPK/T-1', { ...exampleTariff, party_id: 'CPK', id: 'T-1' }, 404, /none of your roles/],
  ["another party's Tariff, deleted", 'DELETE', 'receiver/tariffs/CA/CPK/T-1', undefined, 404, /none of your roles/],
  ["another party's Token, read", 'GET', 'receiver/tokens/CA/CPK/04AA', undefined, 404, /none of your roles/],
  ["another party's Location, read", 'GET', 'receiver/locations/CA/CPK/L-1', undefined, 404, /none of your roles/],
  ['a Session under another id', 'PUT', 'receiver/sessions/CA/MTL/S-1', { ...exampleSession, party_id: 'MTL', id: 'S-2' }, 200, /id: "S-2" in the body/],
  ['a PATCH of a Session that is said to be another', 'PATCH', 'receiver/sessions/CA/MTL/S-1', { id: 'S-2', last_updated: at }, 200, /id: "S-2"/],
  ['a Tariff under another id', 'PUT', 'receiver/tariffs/CA/MTL/T-1', { ...exampleTariff, party_id: 'MTL', id: 'T-2' }, 200, /id: "T-2" in the body/],
  ['a Location under another id', 'PUT', 'receiver/locations/CA/MTL/L-1', { ...exampleLocation, party_id: 'MTL', id: 'L-2' }, 200, /id: "L-2" in the body/],
  ['an EVSE under another uid', 'PATCH', 'receiver/locations/CA/MTL/L-1/E1', { uid: 'E2', last_updated: at }, 200, /uid: "E2" in the body/],
  ['a Connector under another id', 'PUT', 'receiver/locations/CA/MTL/L-1/E1/1', exampleLocation.evses![0]!.connectors[1]!, 200, /id: "2" in the body/],
  [
    'a foreign token to start with',
    'POST',
    'receiver/commands/START_SESSION',
    { response_url: 'http://127.0.0.1:9/', location_id: 'L', token: { ...card, party_id: 'CPK' } },
    200,
    /none of your roles/,
  ],
  [
    "credentials with a foreign platform's role",
    'PUT',
    'credentials',
    { url: 'http://127.0.0.1:9/versions', token: 'x', roles: [] },
    200,
    /roles/,
  ],
];

test.each(wrong)('TRN-30 %s is refused by the book, and nothing of it is kept', (_, method, path, body, http, says) =>
  keepsNothing(async () => {
    const given = body instanceof Buffer ? { body: body as unknown as string } : { body };
    const answer = body instanceof Buffer ? await sent(method, path, body) : await get(path, { method, ...given });
    expect(answer).toMatchObject({ http, status_code: 2001, status_message: expect.stringMatching(says) });
    expect(JSON.stringify(answer)).not.toMatch(/\.ts\b|node_modules|\\n +at /);
  }),
);

async function sent(method: string, path: string, body: Buffer) {
  const response = await fetch(`${origin(oasis)}/ocpi/2.2.1/${path}`, {
    method, body: new Uint8Array(body), headers: { Authorization: authorization(montreal.token), 'Content-Type': 'application/json' },
  });
  return { http: response.status, ...await response.json() as object };
}

test('TRN-06 a TOKEN_A opens no module, whatever the method', () => keepsNothing(async () => {
  for (const [method, path] of [
    ['GET', 'sender/locations'],
    ['PUT', tokenPath],
    ['POST', 'receiver/cdrs'],
    ['POST', 'receiver/commands/START_SESSION'],
    ['POST', 'sender/tokens/04AA/authorize'],
  ] as const) {
    const { tokenA: token } = await tokenAOf('Invited');
    expect(
      await call(oasis, `/ocpi/2.2.1/${path}`, { token, method, ...(method === 'GET' ? {} : { body: {} }) }),
      path,
    ).toMatchObject({ http: 401, status_code: 2001, status_message: expect.stringContaining('register first') });
  }
}));

const invited = new Map<string, { tokenA: string }>();
async function tokenAOf(name: string): Promise<{ tokenA: string }> {
  const known = invited.get(name) ?? await oasis.neighbours.bus.ask(invitePartner, { name });
  invited.set(name, known);
  return known;
}
beforeAll(async () => {
  await tokenAOf('Invited');
  await settled();
});

const MB_50 = 50_000_000;
const piece = ' '.repeat(64_000);
const head = (more: readonly string[], token = montreal.token) =>
  [
    'PUT /ocpi/2.2.1/receiver/tokens/CA/MTL/04AA HTTP/1.1',
    'Host: x',
    `Authorization: ${authorization(token)}`,
    'Content-Type: application/json',
    ...more,
    '',
    '',
  ].join('\r\n');

test('50 MB that are announced are refused before they come', () => keepsNothing(async () => {
  const raw = await RawHttp.open(oasis);
  raw.write(head([`Content-Length: ${MB_50}`]));
  await expect.poll(() => raw.answer).toMatchObject({ http: 413, status_code: 2001, status_message: expect.stringContaining('bytes') });
  raw.close();
}));

test('50 MB that come in pieces are refused at the first that is too much', () => keepsNothing(async () => {
  const raw = await RawHttp.open(oasis);
  raw.write(head(['Transfer-Encoding: chunked']));
  const written = await raw.pour(MB_50, `${piece.length.toString(16)}\r\n${piece}\r\n`);
  await expect.poll(() => raw.answer).toMatchObject({ http: 413, status_code: 2001 });
  expect(written).toBeLessThan(MB_50 / 2);
  raw.close();
}));

test('TRN-05 50 MB of a stranger are not listened to', () => keepsNothing(async () => {
  const raw = await RawHttp.open(oasis);
  raw.write(head([`Content-Length: ${MB_50}`], 'a-stranger'));
  await expect.poll(() => raw.answer).toMatchObject({ http: 401, status_code: 2001 });
  raw.close();
}));

test('who sends a request drop by drop is cut off, in its head or in its body, and holds up nobody', () => keepsNothing(async () => {
  const slow = await Promise.all(Array.from({ length: 100 }, async (_, n) => {
    const raw = await RawHttp.open(oasis);
    raw.write(n % 2 === 0 ? 'GET /ocpi/versions HTTP/1.1\r\nHost: x\r\n' : `${head(['Content-Length: 1000'])}{"uid":`);
    return raw;
  }));
  const drops = setInterval(() => slow.forEach((raw, n) => raw.closed || raw.write(n % 2 === 0 ? 'X-A: b\r\n' : ' ')), 200);
  expect((await get('sender/locations')).http).toBe(200);
  await expect.poll(() => slow.every(({ closed }) => closed)).toBe(true);
  clearInterval(drops);
  for (const raw of slow) expect(raw.answer, raw.text).toMatchObject({ http: 408, status_code: 2000 });
}));

test.each([
  ['no HTTP at all', 'EHLO gateway\r\n\r\n', 400],
  ['headers without an end', `GET /ocpi/versions HTTP/1.1\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['two lengths', 'POST /ocpi/versions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 400],
  [
    'a length and pieces',
    'POST /ocpi/versions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'a header that goes on in the next line',
    'GET /ocpi/versions HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\r\n X-Evil: 1\r\nConnection: close\r\n\r\n',
    400,
  ],
  ['no Host', 'GET /ocpi/versions HTTP/1.1\r\n\r\n', 400],
  ['what nobody can expect', 'GET /ocpi/versions HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n', 401],
  ['NUL in a header', 'GET /ocpi/versions HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\0b\r\n\r\n', 400],
])('TRN-30 %s is answered in the envelope', async (_, text, http) => {
  const raw = await RawHttp.open(oasis);
  raw.write(text);
  await expect
    .poll(() => raw.answer)
    .toMatchObject({ http, status_code: expect.any(Number), timestamp: expect.stringMatching(/Z$/) });
  expect(raw.text).not.toMatch(/^X-Evil/im);
  raw.close();
});

test('nothing of a request gets into a header of the answer but what a header may hold', async () => {
  const { headers } = await get('sender/tariffs?limit=1&more=%0D%0AX-Evil:1%3E;%20rel=%22next%22', {
    headers: { 'X-Request-ID': 'a b', 'X-Correlation-ID': 'x'.repeat(200) },
  });
  expect([headers.get('x-evil'), headers.get('link')]).toEqual([null, null]);
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(
    await get('sender/tariffs', { headers: { 'OCPI-from-party-id': 'a>b', 'OCPI-from-country-code': 'CA' } }),
  ).toMatchObject({ http: 200, status_code: 2001 });
  oasis.neighbours.own.locations.push({ ...exampleLocation, id: 'L-1' }, { ...exampleLocation, id: 'L-2' });
  const paged = await get(
    'sender/locations?limit=1&date_from=2000-01-01T00:00:00Z&more=%0D%0A%3E;rel=%22next%22,%3Chttp://evil.example%3E',
  );
  const link = paged.headers.get('link')!;
  expect(link.match(/[<>]/g), link).toEqual(['<', '>']);
  expect(link).toContain(`<${origin(oasis)}/ocpi/2.2.1/sender/locations?`);
  const raw = await RawHttp.open(oasis);
  const line = 'GET http://evil.example/ocpi/2.2.1/sender/locations?limit=1 HTTP/1.1';
  raw.write(`${line}\r\nHost: evil.example\r\nAuthorization: ${authorization(montreal.token)}\r\n\r\n`);
  await expect.poll(() => raw.text, { message: 'whatever server its target names' }).toContain(`<${origin(oasis)}/ocpi/2.2.1/sender/locations?`);
  raw.close();
});

test('CDR-01 an id with all that an id may hold stays one segment of the Location', async () => {
  const cdr: Cdr = { ...exampleCdr, party_id: 'MTL', id: 'a/../b?c#d>;"\' %0d%0a' };
  const posted = await get('receiver/cdrs', { method: 'POST', body: cdr });
  const url = posted.headers.get('location')!;
  expect(new URL(url).href).toBe(url);
  expect((await get(url.slice(`${origin(oasis)}/ocpi/2.2.1/`.length))).data).toEqual(cdr);
});

test('a request that comes again is taken once; the same X-Request-ID on another body is another request', async () => {
  const headers = { 'X-Request-ID': 'again', 'X-Correlation-ID': 'again' };
  const put = (body: object) => get(tokenPath, { method: 'PUT', body, headers });
  expect(await put(card)).toMatchObject({ http: 201, status_code: 1000 });
  await keepsNothingMore(async () => expect(await put(card)).toMatchObject({ http: 200, status_code: 1000 }));
  expect(await put({ ...card, valid: false, last_updated: '2023-01-01T00:00:00Z' })).toMatchObject({ http: 200, status_code: 1000 });
  expect((await get(tokenPath)).data, 'judged by what it says').toMatchObject({ valid: false });
  expect(await put({ ...card, uid: '04BB' })).toMatchObject({ http: 200, status_code: 2001 });

  const cdr: Cdr = { ...exampleCdr, party_id: 'MTL', id: 'C-again' };
  const post = (body: object) => get('receiver/cdrs', { method: 'POST', body, headers });
  const [first, second] = [await post(cdr), await post(cdr)];
  expect([first.http, second.http, second.headers.get('location')]).toEqual([201, 200, first.headers.get('location')]);
  expect(await post({ ...cdr, total_energy: 99 })).toMatchObject({ http: 200, status_code: 2001 });
  expect((await get(`receiver/cdrs/${first.headers.get('location')!.split('/').at(-1)}`)).data).toEqual(cdr);
});

async function keepsNothingMore(of: () => Promise<void>): Promise<void> {
  const objects = oasis.neighbours.partners.size;
  await of();
  expect(oasis.neighbours.partners.size).toBe(objects);
}

test('CRE-04 a registration that is recorded and played again opens nothing', async () => {
  const twin = await HandPartner.open('Twin', 'TWI', 'EMSP', ['SENDER locations']);
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Twin', parties: twin.parties() });
  const post = () =>
    call(oasis, '/ocpi/2.2.1/credentials', {
      token,
      method: 'POST',
      body: twin.credentials(),
      headers: { 'X-Request-ID': 'r' },
    });
  expect(await post()).toMatchObject({ http: 200, status_code: 1000 });
  await settled();
  await keepsNothing(async () => expect(await post()).toMatchObject({ http: 401, status_code: 2001 }));
  await twin.close();
});

test('TRN-05 of thousands of unknown tokens none is let in, kept or logged', () => keepsNothing(async () => {
  const lines: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = ((text: string | Uint8Array, ...more: never[]) => (
    lines.push(String(text)),
    write(text, ...more)
  )) as typeof write;
  const counts = new Map<number, number>();
  const clients = Array.from({ length: 8 }, () => new Client(origin(oasis), { pipelining: 32 }));
  const guess = async (n: number, urgent: boolean) => {
    const path = urgent ? '/ocpi/2.2.1/sender/tokens/04AA/authorize' : '/ocpi/2.2.1/sender/locations';
    const { statusCode, body } = await clients[n % clients.length]!.request({
      path,
      method: urgent ? 'POST' : 'GET',
      headers: { authorization: authorization(`guess-${n}`) },
    });
    await body.dump();
    counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1);
    return statusCode;
  };
  const many = async (from: number, to: number, urgent: boolean) => {
    for (let n = from; n < to; n += 1_000)
      await Promise.all(Array.from({ length: Math.min(1_000, to - n) }, (_, i) => guess(n + i, urgent)));
  };
  await many(0, 1_000, true);
  expect([...counts], 'what is urgent is looked up each time').toEqual([[401, 1_000]]);
  const fromMs = performance.now();
  await many(1_000, 5_000, false);
  const lookedUpMost = 200 + 20 * (performance.now() - fromMs) / 1_000; // The settings' unknown_rate_limit.
  await Promise.all(clients.map((client) => client.close()));
  process.stderr.write = write;
  expect([...counts.keys()].sort()).toEqual([401, 429]);
  expect(counts.get(429), 'a stranger is soon not looked up any more').toBeGreaterThan(4_000 - lookedUpMost - 8 * 32);
  // Whatever else goes on in this process may have a word to say.
  expect(lines.length).toBeLessThan(20);
  expect(lines.join('')).not.toMatch(/guess-|401|429|token/i);
  expect((await get('sender/locations')).http, 'who is known is let in').toBe(200);
}));

test('TOK-06 authorize of tokens that nobody knows is 404 with 2004 each, and keeps nothing', () => keepsNothing(async () => {
  for (let n = 0; n < 1_000; n += 100) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => get(`sender/tokens/nobody-${n + i}/authorize`, { method: 'POST' })),
    );
    for (const answer of answers) expect(answer).toMatchObject({ http: 404, status_code: 2004 });
  }
}));
