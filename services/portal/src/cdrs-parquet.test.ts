import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { asParquet } from './cdrs-parquet.ts';

const NAMES = ['own', 'cdr_id', 'start_date_time', 'last_updated', 'total_energy_kwh', 'total_cost_incl_vat', 'acknowledged_at'];

async function written(rows: readonly (readonly string[])[], pageRows = 200): Promise<ArrayBuffer> {
  async function* pages() {
    const lines = [NAMES, ...rows].map((row) => `${JSON.stringify(row)}\n`);
    for (let n = 0; n < lines.length; n += pageRows) yield Buffer.from(lines.slice(n, n + pageRows).join(''));
  }
  const parts: Buffer[] = [];
  for await (const part of asParquet(pages())) parts.push(part);
  return new Uint8Array(Buffer.concat(parts)).buffer;
}

const read = (file: ArrayBuffer, of = parquetMetadata(file)) => parquetReadObjects({ file, metadata: of });

/** Decimals as the digits that are in the file; the reader makes floats of them. */
function readDigits(file: ArrayBuffer): Promise<Record<string, unknown>[]> {
  const metadata = parquetMetadata(file);
  const schema = metadata.schema.map(({ converted_type, logical_type, ...element }) =>
    converted_type === 'DECIMAL' ? element : { ...element, ...(converted_type && { converted_type }), ...(logical_type && { logical_type }) });
  return read(file, { ...metadata, schema });
}

const digits = (value: unknown) => BigInt.asIntN(128, BigInt(`0x${Buffer.from(value as Uint8Array).toString('hex')}`));

test('a CDR is a row of booleans, texts, times and decimals, exact to the last digit', async () => {
  const row = ['true', 'S-1-1', '2022-02-01T17:00:00.250Z', '2022-02-01T18:00:00Z', '0.1234567890123456', '-98765432109876.54', ''];
  const file = await written([row]);
  const [listed] = await read(file);
  expect(listed).toMatchObject({
    own: true, cdr_id: 'S-1-1', start_date_time: new Date('2022-02-01T17:00:00.250Z'), last_updated: new Date('2022-02-01T18:00:00Z'),
  });
  const [exact] = await readDigits(file);
  expect(digits(exact!['total_energy_kwh'])).toBe(123_456_789_012_345_600n);
  expect(digits(exact!['total_cost_incl_vat'])).toBe(-98_765_432_109_876_540_000_000_000_000_000n);
  expect(exact!['acknowledged_at'] ?? null).toBeNull();
  expect(exact!['beyond_columns'] ?? null).toBeNull();
});

test('a number that no decimal holds is not rounded: its column is empty, and the last one says it', async () => {
  const row = ['false', '=1+1', '2022-02-01T17:00:00Z', '2022-02-01T18:00:00Z', '100000000000000000000', '0.0000000000000000001', ''];
  const [listed] = await read(await written([row]));
  expect(listed!['total_energy_kwh'] ?? null).toBeNull();
  expect(listed!['total_cost_incl_vat'] ?? null).toBeNull();
  expect(listed).toMatchObject({
    cdr_id: '=1+1', beyond_columns: 'total_energy_kwh=100000000000000000000 total_cost_incl_vat=0.0000000000000000001',
  });
});

test('many rows are groups, none lost at their edges', async () => {
  const rows = Array.from({ length: 20_500 }, (_, n) => ['true', `S-${n}`, '2022-02-01T17:00:00Z', '2022-02-01T18:00:00Z', String(n), '1', '']);
  const file = await written(rows);
  expect(parquetMetadata(file).row_groups.length).toBeGreaterThan(1);
  const found = await read(file);
  expect(found.map((row) => row['cdr_id'])).toEqual(rows.map(([, id]) => id));
});

test('a ledger without CDRs is a file with columns and no rows', async () => {
  const file = await written([]);
  expect(await read(file)).toEqual([]);
  expect(parquetMetadata(file).schema.map(({ name }) => name)).toEqual(['cdrs', ...NAMES, 'beyond_columns']);
});
