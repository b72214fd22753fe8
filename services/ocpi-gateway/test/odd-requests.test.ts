import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { type CdrDelivered, cdrDelivered, listPartners, listQuirks, sendCommand, SendOutcome } from '#contracts/ocpi-gateway';
import { commandFinished } from '#contracts/sessions';
import { toJsonBytes } from '#contracts';
import { authorization, type Cdr, creditCdr, exampleCdr, exampleToken } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { RawHttp } from './raw-http.ts';
import { call, heard, openSide, origin, type Side } from './side.ts';

// Requests that come twice, in the wrong order, from the wrong partner, or that are two in one.

const card = { ...exampleToken, party_id: 'MTL', uid: '04AA' };

let oasis: Side;
let montreal: HandPartner;
let islands: HandPartner;

beforeAll(async () => {
  oasis = await openSide({ party: { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' } });
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['SENDER locations', 'SENDER commands']);
  islands = await HandPartner.open('Islands', 'ISL', 'CPO', ['SENDER locations', 'RECEIVER commands']);
  for (const partner of [montreal, islands]) await partner.register(oasis);
});
afterAll(async () => {
  await Promise.all([montreal, islands].map((one) => one?.close()));
  await oasis?.close();
});
beforeEach(() => {
  oasis.neighbours.answers.startSession = async () => ({ result: 'ACCEPTED' });
  oasis.neighbours.orders.length = 0;
});

const ask = (partner: HandPartner, path: string, more: object = {}) =>
  call(oasis, `/ocpi/2.2.1/${path}`, { token: partner.token, ...more });
const orders = () => [...new Set(oasis.neighbours.orders)];
const startBody = (path: string, more: object = {}) => ({
  response_url: `${montreal.base}/${path}`,
  location_id: 'L',
  token: card,
  ...more,
});
const start = (body: object, headers: Record<string, string> = {}, partner = montreal) =>
  ask(partner, 'receiver/commands/START_SESSION', { method: 'POST', body, headers });
const ids = (name: string) => ({ 'X-Request-ID': `request-${name}`, 'X-Correlation-ID': `exchange-${name}` });

test('TRN-80 CMD-01 a START_SESSION that is recorded and played again, at once or later, is one order with one result', async () => {
  const body = startBody('once');
  const [first, twin] = await Promise.all([start(body, ids('1')), start(body, ids('1'))]);
  expect([first.data, twin.data]).toEqual(Array(2).fill({ result: 'ACCEPTED', timeout: 30 }));
  expect(orders()).toHaveLength(1);
  const [orderId] = orders() as [string];
  await oasis.neighbours.tell(told(commandFinished, { orderId, result: 'ACCEPTED', message: '' }));
  await expect.poll(() => montreal.pushed('POST /once')).toHaveLength(1);
  oasis.neighbours.answers.startSession = async () => ({ result: 'REJECTED' });
  expect((await start(body, ids('1'))).data, 'answered as it was').toEqual({ result: 'ACCEPTED', timeout: 30 });
  expect(orders()).toEqual([orderId]);
  await oasis.gateway.stop();
  await oasis.restart();
  expect((await start(body, ids('1'))).data, 'also after a restart').toEqual({ result: 'ACCEPTED', timeout: 30 });
  expect(orders()).toEqual([orderId]);
  expect(montreal.pushed('POST /once')).toHaveLength(1);
});

test('TRN-80 what was refused stays refused when it comes again, and another request is another one, whatever its ids', async () => {
  oasis.neighbours.answers.startSession = async () => ({ result: 'REJECTED', unknownLocation: true });
  expect(await start(startBody('no'), ids('2'))).toMatchObject({ status_code: 2003, data: { result: 'REJECTED' } });
  oasis.neighbours.answers.startSession = async () => ({ result: 'ACCEPTED' });
  expect(await start(startBody('no'), ids('2'))).toMatchObject({ status_code: 2003, data: { result: 'REJECTED' } });
  expect(orders()).toHaveLength(1);
  const others: [object, Record<string, string>][] = [
    [startBody('no', { location_id: 'M' }), ids('2')], [startBody('no'), { ...ids('2'), 'X-Request-ID': 'another' }],
    [startBody('no'), { ...ids('2'), 'X-Correlation-ID': 'another' }], [startBody('no'), {}], [startBody('no'), {}],
  ];
  for (const [n, [body, headers]] of others.entries()) {
    expect((await start(body, headers)).data).toMatchObject({ result: 'ACCEPTED' });
    expect(orders()).toHaveLength(n + 2);
  }
});

test('CMD-01 a command that may have been taken is not rejected when it comes again and nobody is there, and its result follows', async () => {
  const { neighbours } = oasis;
  const { promise: until, resolve: goOn } = Promise.withResolvers<void>();
  neighbours.answers.startSession = async () => {
    await until;
    return { result: 'ACCEPTED' };
  };
  const first = start(startBody('in-hand'), ids('3'));
  await expect.poll(orders).toHaveLength(1);
  const leaving = neighbours.starts.stop();
  const notNow = { status_code: 3000, status_message: 'The request could not be processed now; try again later' };
  expect(await first).toMatchObject(notNow);
  expect(await start(startBody('in-hand'), ids('3'))).toMatchObject(notNow);
  expect((await start(startBody('new'), ids('4'))).data, 'of this one nothing was begun').toMatchObject({ result: 'REJECTED' });
  goOn();
  await leaving;
  const [orderId] = orders() as [string];
  await neighbours.tell(told(commandFinished, { orderId, result: 'ACCEPTED', message: '' }));
  await expect.poll(() => montreal.pushed('POST /in-hand')).toHaveLength(1);
  await neighbours.answerStarts();
  expect((await start(startBody('in-hand'), ids('3'))).data).toMatchObject({ result: 'ACCEPTED' });
});

test('CMD-04 a result is taken from the partner that was sent the command, for that command, and twice is once', async () => {
  islands.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
  const sent = await oasis.neighbours.bus.ask(sendCommand, {
    orderId: 'O-1', party: { countryCode: 'CA', partyId: 'ISL' }, command: 'STOP_SESSION', bodyJson: toJsonBytes({ session_id: 'S' }),
  });
  expect(sent).toMatchObject({ outcome: SendOutcome.ANSWERED, result: 'ACCEPTED' });
  const say = (partner: HandPartner, path: string, body: unknown = { result: 'ACCEPTED' }) =>
    ask(partner, `sender/commands/${path}`, { method: 'POST', body });
  for (const [partner, path] of [
    [montreal, 'STOP_SESSION/O-1'],
    [islands, 'START_SESSION/O-1'],
    [islands, 'STOP_SESSION/O-2'],
    [islands, 'STOP_SESSION/o-1'],
    [islands, 'DANCE/O-1'],
    [islands, `STOP_SESSION/${encodeURIComponent('../O-1')}`],
  ] as const) {
    expect(await say(partner, path), path).toMatchObject({ http: 404, status_code: 2001 });
  }
  for (const body of [{}, { result: 'FINE' }, { result: 'accepted' }, [], 'null', { __proto__: { result: 'ACCEPTED' } }]) {
    expect(await say(islands, 'STOP_SESSION/O-1', body), JSON.stringify(body)).toMatchObject({ http: 200, status_code: 2001 });
  }
  expect(oasis.neighbours.results).toEqual([]);
  for (const _ of ['once', 'again']) expect(await say(islands, 'STOP_SESSION/O-1')).toMatchObject({ http: 200, status_code: 1000 });
  expect(new Set(oasis.neighbours.results.map((one) => JSON.stringify(one)))).toEqual(
    new Set([JSON.stringify({ orderId: 'O-1', result: 'ACCEPTED', message: '' })]),
  );
});

test('CMD-01 what a command was answered, and what came of it, counts, also where its timeout is missing or its message is no list; and it is noted', async () => {
  const { bus } = oasis.neighbours;
  const send = async (orderId: string, data: object) => {
    islands.answer = () => ({ data });
    const { outcome, result, timeoutS } = await bus.ask(sendCommand, {
      orderId, party: { countryCode: 'CA', partyId: 'ISL' }, command: 'STOP_SESSION', bodyJson: toJsonBytes({ session_id: 'S' }),
    });
    return [SendOutcome[outcome], result, timeoutS];
  };
  expect(await send('odd-1', { result: 'REJECTED' })).toEqual(['ANSWERED', 'REJECTED', 30]);
  expect(await send('odd-2', { result: 'ACCEPTED', timeout: 9, message: { language: 'en', text: 'yes' } })).toEqual(['ANSWERED', 'ACCEPTED', 9]);
  expect(await send('odd-3', { result: 'ACCEPTED', timeout: '9' })).toEqual(['ANSWERED', 'ACCEPTED', 30]);
  expect(await send('odd-4', { result: 'FINE', timeout: 9 })).toEqual(['UNCLEAR', '', 0]);
  const result = { result: 'TIMEOUT', message: 'no answer' };
  expect(await ask(islands, 'sender/commands/STOP_SESSION/odd-2', { method: 'POST', body: result })).toMatchObject({ http: 200, status_code: 1000 });
  expect(oasis.neighbours.results.at(-1)).toEqual({ orderId: 'odd-2', result: 'TIMEOUT', message: '' });
  const { partnerId } = (await bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Islands')!;
  const seen = async () => (await bus.ask(listQuirks, { partnerId })).quirks.find(({ name }) => name === 'sloppy-command-responses');
  await expect.poll(async () => (await seen())?.times).toBe(4);
  expect((await seen())!.detail).toBe('message: must be a list, not "no answer" (OCPI 2.2.1)');
});

test('CRE-06 CRE-11 a PUT of credentials that is played again opens nothing once the new token is used', async () => {
  const old = montreal.token;
  const put = () =>
    call(oasis, '/ocpi/2.2.1/credentials', {
      token: old,
      method: 'PUT',
      body: montreal.credentials(),
      headers: ids('put'),
    });
  montreal.token = ((await put()).data as { token: string }).token;
  expect((await ask(montreal, 'sender/locations')).http).toBe(200);
  expect((await put()).http).toBe(401);
  expect((await ask(montreal, 'sender/locations')).http, 'the link stands').toBe(200);
});

test('a body that is compressed is refused by name, and not unpacked', async () => {
  for (const [encoding, bytes] of [
    ['gzip', gzipSync(Buffer.alloc(50_000_000))],
    ['br', Buffer.from('x')],
    ['GZIP, gzip', Buffer.from('x')],
  ] as const) {
    const response = await fetch(`${origin(oasis)}/ocpi/2.2.1/receiver/tokens/CA/MTL/04AA`, {
      method: 'PUT',
      body: new Uint8Array(bytes),
      headers: {
        Authorization: authorization(montreal.token),
        'Content-Type': 'application/json',
        'Content-Encoding': encoding,
      },
    });
    expect([response.status, await response.json()]).toEqual([
      415,
      expect.objectContaining({ status_code: 2001, status_message: expect.stringContaining('Content-Encoding') }),
    ]);
  }
});

test('TRN-11 TOK-03 a body is read whatever it is called, and none is none whatever the Content-Type says', async () => {
  for (const type of ['', 'json', 'application/json,application/json', 'application/json; charset=UTF-8', 'text/plain']) {
    const headers = { 'Content-Type': type };
    const put = await ask(montreal, 'receiver/tokens/CA/MTL/04AA', { method: 'PUT', body: card, headers });
    expect([type, put.http, put.status_code]).toEqual([type, expect.toBeOneOf([200, 201]), 1000]);
    const authorize = await ask(montreal, 'sender/tokens/04FF/authorize', { method: 'POST', headers });
    expect([type, authorize.http]).toEqual([type, 404]);
    expect([type, (await ask(montreal, 'receiver/tariffs/CA/MTL/GONE', { method: 'DELETE', headers })).status_code]).toEqual([type, 1000]);
  }
});

const head = (line: string, headers: readonly string[] = []) => [line, 'Host: x', ...headers, '', ''].join('\r\n');
const inner = head('DELETE /ocpi/2.2.1/credentials HTTP/1.1', ['Content-Length: 0']);

test.each([
  [
    'a body that is a request, from a stranger',
    head('POST /ocpi/2.2.1/receiver/cdrs HTTP/1.1', [`Content-Length: ${inner.length}`]) + inner,
    [401],
  ],
  [
    'a body that is a request, where none is read',
    head('GET /ocpi/versions HTTP/1.1', [`Content-Length: ${inner.length}`]) + inner,
    [401],
  ],
  [
    'a chunked length with a blank',
    head('POST /ocpi/2.2.1/receiver/cdrs HTTP/1.1', ['Transfer-Encoding : chunked', 'Content-Length: 4']) + inner,
    [400],
  ],
  [
    'a coding that is not the last',
    head('POST /ocpi/2.2.1/receiver/cdrs HTTP/1.1', ['Transfer-Encoding: chunked, identity']) + inner,
    [400],
  ],
  [
    'a coding of another case, and a length',
    head('POST /ocpi/2.2.1/receiver/cdrs HTTP/1.1', ['Content-Length: 4', 'Transfer-Encoding: xchunked']) + inner,
    [400],
  ],
  ['a length with a sign', head('POST /ocpi/2.2.1/receiver/cdrs HTTP/1.1', ['Content-Length: +4']) + inner, [400]],
  ['a length in hexadecimal', head('POST /ocpi/2.2.1/receiver/cdrs HTTP/1.1', ['Content-Length: 0x4']) + inner, [400]],
  ['lines that end in LF', head('GET /ocpi/versions HTTP/1.1').replaceAll('\r\n', '\n') + inner, [400]],
  [
    'a request in a chunk extension',
    head('POST /ocpi/2.2.1/receiver/cdrs HTTP/1.1', ['Transfer-Encoding: chunked']) + `1;${'x'.repeat(30_000)}\r\n`,
    [400],
  ],
])('%s is one request at most, and never the one inside', async (_what, text, https) => {
  const raw = await RawHttp.open(oasis);
  raw.write(text);
  await expect.poll(() => raw.answer).toMatchObject({ http: https[0]!, status_code: expect.any(Number) });
  // Whatever else came of it would come before the answer to this.
  if (!raw.closed)
    raw.write(
      head('GET /ocpi/versions HTTP/1.1', [`Authorization: ${authorization(montreal.token)}`, 'Connection: close']),
    );
  await expect.poll(() => raw.closed).toBe(true);
  const answers = [...raw.text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, code]) => Number(code));
  expect([answers[0], answers.length <= 2, answers.filter((code) => code === 405)]).toEqual([https[0], true, []]);
  expect((await ask(montreal, 'sender/locations')).http, 'nobody ended the link').toBe(200);
});

test('TRN-13 a header that stands twice names nobody, and is nobody: no two readings of one request', async () => {
  const raw = await RawHttp.open(oasis);
  const token = `Authorization: ${authorization(montreal.token)}`;
  const twice = (name: string, one: string, other: string) => [`${name}: ${one}`, `${name}: ${other}`];
  const get = async (headers: readonly string[]) => {
    raw.text = '';
    raw.write(head('GET /ocpi/2.2.1/sender/locations HTTP/1.1', headers));
    await expect.poll(() => raw.answer.status_code).toBeDefined();
    return raw.answer;
  };
  const from = ['OCPI-from-country-code: CA'];
  expect(await get([token, ...from, ...twice('OCPI-from-party-id', 'MTL', 'ISL')])).toMatchObject({ http: 200, status_code: 2001 });
  expect(
    await get([
      token,
      ...from,
      'OCPI-from-party-id: MTL',
      'OCPI-to-country-code: CA',
      ...twice('OCPI-to-party-id', 'BCT', 'ELS'),
    ]),
  ).toMatchObject({ http: 200, status_code: 2001 });
  expect(await get([token, ...twice('X-Request-ID', 'a', 'b')])).toMatchObject({ http: 200, status_code: 1000 });
  expect(raw.text).toMatch(/^x-request-id: [0-9a-f-]{36}\r$/im);
  expect((await get(['Authorization: Token nonsense', token])).http, 'the first is the one').toBe(401);
  raw.close();
});

test.each([
  ['a dotless i', 'CA/%C4%B1SL'],
  ['a long s', 'CA/I%C5%BFL'],
  ['full-width letters', '%EF%BC%A3%EF%BC%A1/ISL'],
  ['a letter of another alphabet', '%D0%A1A/ISL'],
  ['a combining mark', 'CA/ISL%CC%81'],
  ['a blank', 'CA/ISL%20'],
  ['a zero-width joiner', 'CA/ISL%E2%80%8D'],
  ['a soft hyphen', 'CA/IS%C2%ADL'],
])('TRN-72 a party that only looks like another, by %s, is not that one', async (_what, party) => {
  const answer = await ask(islands, `receiver/locations/${party}/L-1`);
  expect([
    [200, 2001],
    [404, 2001],
  ]).toContainEqual([answer.http, answer.status_code]);
  expect(answer.status_message).toMatch(/not printable ASCII|none of your roles/);
});

test.each([
  '/ocpi/2.2.1/receiver/tokens/CA/MTL/..%2f..%2f..%2fcredentials',
  '/ocpi/2.2.1/receiver/tokens/CA/MTL/%2e%2e/%2e%2e/credentials',
  '/ocpi/2.2.1/sender/locations/../../credentials',
  '/ocpi/2.2.1/sender/locations/%252e%252e',
  '/ocpi/2.2.1//sender//locations',
  '//evil.example/ocpi/versions',
  '/ocpi/2.2.1/sender/locations/a%00b',
  '/ocpi/2.2.1/sender/locations/%',
  '/ocpi/2.2.1/sender/locations/%ff',
  '/ocpi/2.2.1/sender/locations;x=y',
  '/ocpi/2.2.1/sender/locations/a\\..\\b',
  `/ocpi/2.2.1/sender/locations/${'a'.repeat(600)}`,
  `/ocpi/2.2.1/sender/locations?x=${'%41'.repeat(4_000)}`,
  '/ocpi/2.2.1/sender/locations/L%23x',
  '/ocpi/2.2.1/sender/locations#x',
  'http://evil.example/ocpi/versions',
  '/ocpi/2.2.1/sender/locations?limit=1&limit=2',
  '/ocpi/2.2.1/sender/tariffs?date_from[]=x',
  '/ocpi/2.2.1/sender/locations?__proto__[x]=1&constructor=2',
  '/OCPI/2.2.1/sender/locations',
  '*',
  '/ocpi/2.2.1/sender/locations/\xff\xfe',
])('TRN-30 the path %s leads nowhere else, and to no fault of ours', async (path) => {
  const raw = await RawHttp.open(oasis);
  raw.socket.write(
    Buffer.from(
      head(`GET ${path} HTTP/1.1`, [`Authorization: ${authorization(montreal.token)}`, 'Connection: close']),
      'latin1',
    ),
  );
  await expect.poll(() => raw.answer.status_code).toBeDefined();
  const { http, status_code } = raw.answer;
  expect(http, raw.text).toBeLessThan(500);
  expect(status_code, raw.text).toBeLessThan(3000);
  expect(raw.text).not.toMatch(/"token"|\.ts\b|node_modules/);
  raw.close();
});

test.each(['CONNECT', 'TRACE', 'OPTIONS', 'HEAD', 'PROPFIND', 'PATCH', 'get'])(
  'TRN-10 the method %s is not offered, and opens no way through',
  async (method) => {
    const raw = await RawHttp.open(oasis);
    raw.write(
      head(`${method} /ocpi/2.2.1/sender/locations HTTP/1.1`, [
        `Authorization: ${authorization(montreal.token)}`,
        'Content-Length: 0',
        'Connection: close',
      ]),
    );
    await expect.poll(() => raw.closed).toBe(true);
    expect(raw.text).not.toMatch(/^HTTP\/1\.1 (200|5)/);
  },
);

test('CDR-01 a CDR for a partner that only fetches is delivered when it was fetched, and once, however often it is', async () => {
  const delivered: CdrDelivered[] = [];
  const watching = await oasis.neighbours.bus.watch(cdrDelivered, (fact) => void delivered.push(fact));
  const issue = async (id: string, party_id: string, meanwhile = async () => {}) => {
    const cdr: Cdr = { ...exampleCdr, country_code: 'CA', party_id: 'BCT', id, cdr_token: { ...exampleCdr.cdr_token, country_code: 'CA', party_id } };
    oasis.neighbours.own.cdrs.push(cdr);
    const tokenParty = { countryCode: 'CA', partyId: party_id };
    await meanwhile();
    await oasis.neighbours.tell(told(cdrIssued, { cdrId: id, sessionId: id, credit: false, tokenParty, cdrJson: toJsonBytes(cdr) }));
    await heard(oasis, 'cdr-ledger', id);
  };
  const fetched = async (offset = 0) => ((await ask(montreal, `sender/cdrs?offset=${offset}`)).data as Cdr[]).map(({ id }) => id);
  await issue('FETCHED-1', 'MTL');
  // Of an operator that is not linked.
  await issue('WAITS-1', 'QBC');
  expect(await fetched()).toEqual(['FETCHED-1']);
  await expect.poll(() => delivered.map(({ cdrId, tokenParty, locationUrl }) => [cdrId, tokenParty?.partyId, locationUrl])).toEqual([['FETCHED-1', 'MTL', '']]);
  await issue('FETCHED-2', 'MTL');
  expect(await fetched()).toEqual(['FETCHED-1', 'FETCHED-2']);
  expect(await fetched()).toHaveLength(2);
  await expect.poll(() => delivered.map(({ cdrId }) => cdrId)).toEqual(['FETCHED-1', 'FETCHED-2']);
  // One that is listed is on its way to who tells that it was fetched.
  await issue('FETCHED-3', 'MTL', async () => void expect(await fetched(2)).toEqual(['FETCHED-3']));
  await expect.poll(() => delivered.map(({ cdrId }) => cdrId)).toEqual(['FETCHED-1', 'FETCHED-2', 'FETCHED-3']);
  await watching.stop();
});

test('2.1.1 a CDR for a partner that only fetches is delivered when it was fetched; one that its version has no words for is not', async () => {
  const old = await HandPartner.open('Laurentides', 'LAU', 'EMSP', ['SENDER locations']);
  old.version = '2.1.1';
  await old.register(oasis);
  const delivered: string[] = [];
  const watching = await oasis.neighbours.bus.watch(cdrDelivered, ({ cdrId }) => void delivered.push(cdrId));
  const cdr: Cdr = { ...exampleCdr, country_code: 'CA', party_id: 'BCT', id: 'OLD-1', cdr_token: { ...exampleCdr.cdr_token, country_code: 'CA', party_id: 'LAU' } };
  oasis.neighbours.own.cdrs.push(creditCdr(cdr, '2022-02-03T18:00:00Z'), cdr);
  const { data } = await call(oasis, '/ocpi/2.1.1/cdrs', { token: old.token });
  expect((data as Cdr[]).map(({ id }) => id)).toEqual(['OLD-1']);
  await expect.poll(() => [...new Set(delivered)]).toEqual(['OLD-1']);
  await watching.stop();
  await old.close();
});
