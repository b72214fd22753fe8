import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus, each } from '#bus';
import { signerFromSeed, signHead } from '#chain';
import { toJsonBytes } from '#contracts';
import {
  exportCdrs, exportLedger, getConsistencyProof, getHeads, getReceiptProof, listProjections, rebuildProjection,
} from '#contracts/ledger';
import { Rejected } from '#decider';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';
import { Client } from './client.ts';

const key = 'an-operator-key-for-this-test';
const signer = signerFromSeed(Buffer.alloc(32, 7));
const headOf = (day: string, entries: number) => signHead({
  ledger: 'CA*BCT', day, since: day, timeZone: 'America/Vancouver', tzdb: '2026f', entries,
  link: 'ab'.repeat(32), root: 'cd'.repeat(32), at: `${day}T08:00:00Z`,
}, signer);

let platform: TestPlatform;
let service: Running;
let ledger: Bus;
let operator: Client;
/** Pages of an export by the cursor that they are asked by. */
const pages = new Map([['', 'one\n'], ['2', 'two\n'], ['3', 'three\n']]);
const nextOf = (cursor: string) => ({ '': '2', 2: '3' })[cursor] ?? '';
const projection = { name: 'cdr-list', position: 7n, logPosition: 9n, rebuildable: true };

beforeAll(async () => {
  platform = await testPlatform({ portal: { operator_keys: [key] } });
  ledger = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'cdr-ledger' });
  const page = async ({ cursor, accounts }: { cursor: string; accounts: boolean }) => {
    if (accounts) return { lines: Buffer.from('of accounts\n'), next: '' };
    if (!pages.has(cursor)) throw new Rejected('ledger-damaged', 'verify the ledger');
    return { lines: Buffer.from(pages.get(cursor)!), next: nextOf(cursor) };
  };
  await ledger.answer(exportLedger, (requests) => each(requests, page));
  await ledger.answer(exportCdrs, (requests) => each(requests, async ({ dateFrom = '', asJsonLines }) => (
    { lines: Buffer.from(asJsonLines ? `["own","last_updated"]\n["true","${dateFrom}"]\n` : `own,${dateFrom}\r\n`), next: '' })));
  await ledger.answer(getHeads, (requests) => each(requests, async ({ afterDay, accounts }) => (accounts ? { keys: [], heads: [] } :
    { keys: [signer.publicKey], heads: [headOf('2022-02-01', 3), headOf('2022-02-02', 5)].slice(afterDay === '' ? 0 : 1) })));
  await ledger.answer(getReceiptProof, (requests) => each(requests, async ({ cdrId, withPrivate }) => {
    if (cdrId === 'TODAY') throw new Rejected('not-signed-yet', 'its day has not ended');
    return { proofJson: toJsonBytes({ roamwatt_receipt: 1, entry: 3, withPrivate }) };
  }));
  await ledger.answer(getConsistencyProof, (requests) => each(requests, async ({ olderDay, newerDay }) => {
    if (olderDay === '2021-01-01') throw new Rejected('unknown-head', 'no head was signed for 2021-01-01');
    return { older: headOf(olderDay, 3), newer: headOf(newerDay, 5), path: ['ef'.repeat(32)] };
  }));
  await ledger.answer(listProjections, (requests) => each(requests, async () => ({ projections: [projection] })));
  await ledger.answer(rebuildProjection, (requests) => each(requests, async ({ name }) => {
    if (name !== projection.name) throw new Rejected('unknown-projection', 'name: may be cdr-list');
    return { projection: { ...projection, position: 0n } };
  }));
  service = await start(platform.env);
  operator = new Client(service.urls!.portal!).with({ 'x-api-key': key });
});
afterAll(async () => {
  await service?.stop();
  await ledger?.close();
  await platform?.drop();
});

test('the operator hands out the signed heads and their keys', async () => {
  const { body } = await operator.get('/v1/operator/ledger/heads');
  expect(body).toMatchObject({
    keys: [signer.publicKey],
    heads: [{ day: '2022-02-01', entries: 3, ...headOf('2022-02-01', 3) }, { day: '2022-02-02' }],
  });
  expect((await operator.get('/v1/operator/ledger/heads?after_day=2022-02-01')).body.heads).toHaveLength(1);
  expect(await operator.get('/v1/operator/ledger/heads?after_day=yesterday')).toMatchObject({ status: 400 });
});

test('a receipt\'s proof comes as it is checked, with what is private only when asked for', async () => {
  const proof = '/v1/operator/cdrs/CA/BCT/S-1-1/proof';
  expect((await operator.get(proof)).body).toEqual({ roamwatt_receipt: 1, entry: 3, withPrivate: false });
  expect((await operator.get(`${proof}?private=true`)).body).toMatchObject({ withPrivate: true });
  expect(await operator.get('/v1/operator/cdrs/CA/BCT/TODAY/proof')).toMatchObject({
    status: 409, body: { error: { code: 'not-signed-yet' } },
  });
});

test('two heads are proven to be of one ledger that only grew', async () => {
  const { body } = await operator.get('/v1/operator/ledger/consistency?older=2022-02-01&newer=2022-02-02');
  expect(body).toMatchObject({ older: { entries: 3 }, newer: { entries: 5 }, path: ['ef'.repeat(32)] });
  expect(await operator.get('/v1/operator/ledger/consistency?older=2021-01-01&newer=2022-02-02')).toMatchObject({ status: 404 });
});

test('the ledger is downloaded page by page as one file', async () => {
  const { status, headers, body } = await operator.get('/v1/operator/ledger/export');
  expect([status, body]).toEqual([200, 'one\ntwo\nthree\n']);
  expect(headers.get('content-type')).toBe('application/jsonl');
  expect(headers.get('content-disposition')).toBe('attachment; filename="ledger.jsonl"');
});

test('the ledger of accounts is a file of its own, with heads of its own', async () => {
  const { headers, body } = await operator.get('/v1/operator/ledger/export?ledger=accounts');
  expect(body).toBe('of accounts\n');
  expect(headers.get('content-disposition')).toBe('attachment; filename="accounts.jsonl"');
  expect((await operator.get('/v1/operator/ledger/heads?ledger=accounts')).body).toEqual({ keys: [], heads: [] });
  expect(await operator.get('/v1/operator/ledger/export?ledger=all')).toMatchObject({ status: 400 });
});

test('a download that cannot begin is refused; one that cannot go on is cut, never ended as if whole', async () => {
  pages.delete('3');
  await expect(operator.get('/v1/operator/ledger/export')).rejects.toThrow();
  pages.delete('');
  expect(await operator.get('/v1/operator/ledger/export')).toMatchObject({
    status: 409, body: { error: { code: 'ledger-damaged' } },
  });
});

test('the CDRs of a time are downloaded as CSV', async () => {
  const { headers, body } = await operator.get('/v1/operator/cdrs.csv?date_from=2022-02-01T00:00:00Z');
  expect(body).toBe('own,2022-02-01T00:00:00Z\r\n');
  expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
});

test('the CDRs of a time are downloaded as Parquet', async () => {
  const answer = await fetch(`${service.urls!.portal}/v1/operator/cdrs.parquet?date_from=2022-02-01T00:00:00Z`, { headers: { 'x-api-key': key } });
  expect(answer.headers.get('content-type')).toBe('application/vnd.apache.parquet');
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="cdrs.parquet"');
  expect(await parquetReadObjects({ file: await answer.arrayBuffer() })).toMatchObject([
    { own: true, last_updated: new Date('2022-02-01T00:00:00Z') },
  ]);
});

test('a list is dropped and made anew by its name', async () => {
  expect((await operator.get('/v1/operator/ledger/projections')).body).toEqual({
    projections: [{ name: 'cdr-list', position: 7, log_position: 9, rebuildable: true }],
  });
  expect(await operator.post('/v1/operator/ledger/projections/cdr-list/rebuild')).toMatchObject({
    status: 202, body: { name: 'cdr-list', position: 0 },
  });
  expect(await operator.post('/v1/operator/ledger/projections/events/rebuild')).toMatchObject({ status: 404 });
});

test('nobody but the operator sees any of it', async () => {
  const anyone = new Client(service.urls!.portal!);
  for (const path of ['ledger/heads', 'ledger/export', 'cdrs.csv', 'cdrs.parquet', 'cdrs/CA/BCT/S-1-1/proof', 'ledger/projections'])
    expect(await anyone.get(`/v1/operator/${path}`)).toMatchObject({ status: 401 });
});
