import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { readHead, verifyExport } from '#chain';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { receiveCdr } from '#contracts/cdr-ledger';
import { exportCdrs, exportLedger, getHeads, getReceiptProof, listProjections, rebuildProjection } from '#contracts/ledger';
import { sessionEnded } from '#contracts/sessions';
import { decimal, sum } from '#money';
import { cdr, location, session, tariff, token } from './charge.ts';
import { type LedgerPlatform, ledgerPlatform } from './platform.ts';

const bct = { countryCode: 'CA', partyId: 'BCT' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };
/** Too large for one page of the export when there are a few. */
const note = 'x'.repeat(180_000);
const theirs = { ...cdr, party_id: 'XYZ', cdr_token: { ...cdr.cdr_token, party_id: 'BCT' }, x_note: note };

/** Ids that a spreadsheet would reckon with. */
const formulas: readonly (string | undefined)[] = ['=1+1', undefined, "-2+3+cmd|' /C calc'!A0", '-5'];

let oasis: LedgerPlatform;

beforeAll(async () => {
  oasis = await ledgerPlatform({}, '2022-02-01T18:21:00Z');
  const facts = ['S-1', 'S-2', 'S,"3"'].map((id) =>
    told(sessionEnded, {
      sessionId: id,
      tokenParty: cpk,
      sessionJson: toJsonBytes({ ...session, id }),
      locationJson: toJsonBytes(location),
      tariffJson: toJsonBytes(tariff),
      tariffVersion: 3,
      tokenJson: toJsonBytes(token),
      energyWh: '6000',
    }),
  );
  await oasis.tellAsSessions(...facts);
  for (let n = 1; n <= 8; n += 1) {
    const pretty = JSON.stringify({ ...theirs, id: formulas[n - 1] ?? `X-${n}` }, undefined, 1);
    await oasis.bus.ask(receiveCdr, { bodyJson: Buffer.from(pretty) });
  }
});
afterAll(() => oasis?.stop());

interface Page {
  readonly lines: Uint8Array;
  readonly next: string;
}

async function pages(ask: (cursor: string) => Promise<Page>): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for (let cursor = ''; ;) {
    const { lines, next } = await ask(cursor);
    found.push(Buffer.from(lines));
    if (next === '') return found;
    cursor = next;
  }
}

const exported = () => pages((cursor) => oasis.bus.ask(exportLedger, { cursor }));

test('the ledger is exported over the bus in pages of bytes, by the key that its heads name', async () => {
  await expect.poll(() => oasis.issued.length).toBe(3);
  const chunks = await exported();
  expect(chunks.length).toBeGreaterThan(1);
  for (const chunk of chunks) expect(chunk.length).toBeLessThan(900_000);
  const days = async () => (await oasis.bus.ask(getHeads, {})).heads.map(({ text }) => readHead(text)?.day);
  await expect.poll(days).toEqual(['2022-01-31']);
  const { keys } = await oasis.bus.ask(getHeads, {});
  expect(await verifyExport(chunks, { keys })).toMatchObject({ ledger: 'CA*BCT', entries: 11, damage: undefined });
  await expect(oasis.bus.ask(getReceiptProof, { party: bct, cdrId: 'S-1-1' })).rejects.toMatchObject({ code: 'not-signed-yet' });
  await expect(oasis.bus.ask(exportLedger, { cursor: 'mine' })).rejects.toMatchObject({ code: 'invalid-cursor' });
});

test('a restart signs no day twice, and with the same key', async () => {
  const before = await oasis.bus.ask(getHeads, {});
  await oasis.restart();
  expect(await oasis.bus.ask(getHeads, {})).toEqual(before);
});

test('CDRs as CSV have every field where it belongs, and no formulas', async () => {
  const csv = Buffer.concat(await pages((cursor) => oasis.bus.ask(exportCdrs, { cursor }))).toString();
  const [names, ...rows] = csv.trimEnd().split('\r\n');
  expect(names!.split(',').slice(0, 5)).toEqual(['own', 'country_code', 'party_id', 'cdr_id', 'credit']);
  expect(rows).toHaveLength(11);
  const ours = rows.find((row) => row.includes(',S-1-1,'))!.split(',');
  const field = (name: string) => ours[names!.split(',').indexOf(name)];
  expect(['total_cost_excl_vat', 'total_cost_incl_vat', 'total_energy_kwh', 'currency', 'token_party'].map(field)).toEqual([
    '2.94', '3.09', '6', 'CAD', 'CA*CPK',
  ]);
  const parts = ['fixed', 'energy', 'time', 'parking', 'reservation'].map((part) => `total_${part}_cost_excl_vat`);
  const all = [...parts, 'not_in_parts_excl_vat'].map((name) => decimal(field(name) || '0'));
  expect(sum(all).toString()).toBe(field('total_cost_excl_vat'));
  expect(field('not_in_parts_excl_vat')).not.toBe('');
  expect(csv).toContain(',"S,""3""-1",');
  expect(csv).toContain(`,'=1+1,`);
  expect(csv).toContain(`,'-2+3+cmd|' /C calc'!A0,`);
  expect(csv).toContain(',-5,');
  expect(csv).not.toContain(token.uid);
  const asJson = Buffer.concat(await pages((cursor) => oasis.bus.ask(exportCdrs, { cursor, asJsonLines: true }))).toString();
  const [jsonNames, ...jsonRows] = asJson.trimEnd().split('\n').map((text) => JSON.parse(text) as string[]);
  expect(jsonNames!.join(',')).toBe(names);
  expect(jsonRows.find((row) => row[3] === 'S-1-1')).toEqual(ours);
  expect(jsonRows.flat()).toContain('=1+1');
  const window = { cursor: '', dateFrom: '2023-01-01T00:00:00Z' };
  expect(Buffer.from((await oasis.bus.ask(exportCdrs, window)).lines).toString()).toBe(`${names}\r\n`);
  await expect(oasis.bus.ask(exportCdrs, { dateTo: 'tomorrow' })).rejects.toMatchObject({ code: 'invalid-object' });
});

test('a list is made anew over the bus', async () => {
  const { projections } = await oasis.bus.ask(listProjections, {});
  const rebuildable = projections.filter((one) => one.rebuildable).map(({ name }) => name);
  expect(rebuildable).toEqual(expect.arrayContaining(['cdr-list', 'dispute-list']));
  for (const name of rebuildable) await oasis.bus.ask(rebuildProjection, { name });
  await expect(oasis.bus.ask(rebuildProjection, { name: 'chain' })).rejects.toMatchObject({ code: 'unknown-projection' });
  const isDone = async () => (await oasis.ledgerDb.query(`SELECT FROM followed WHERE follower LIKE '% rebuilding'`)).rowCount;
  await expect.poll(isDone).toBe(0);
  expect((await oasis.ledgerDb.query('SELECT FROM cdrs')).rowCount).toBe(11);
});

test('what a partner sent is exported as it came, line breaks and all', async () => {
  const lines = Buffer.concat(await exported()).toString().split('\n');
  const entry = lines.find((line) => line.includes('X-2'))!;
  const { private: body } = JSON.parse(entry) as { private: string };
  expect(fromJsonBytes<{ id: string }>(Buffer.from(body)).id).toBe('X-2');
  expect(body).toBe(JSON.stringify({ ...theirs, id: 'X-2' }, undefined, 1));
});
