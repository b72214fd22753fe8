import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { SchemaElement } from 'hyparquet';
import { decimal } from '#money';
import { instant } from '#time';

export const PARQUET = 'application/vnd.apache.parquet';

/** A group is what is held in memory, and what a reader reads at once. */
const GROUP_ROWS = 10_000;

/** Of a decimal column: 20 digits before the point, 18 behind it. */
const PRECISION = 38;
const SCALE = 18;

type Kind = 'text' | 'boolean' | 'time' | 'decimal';
type Value = string | boolean | Date | bigint | undefined;

/** What a column holds follows from its name; what is not said is text. */
function kindOf(name: string): Kind {
  if (name === 'own' || name === 'credit') return 'boolean';
  if (/_date_time$|_at$|^last_updated$/.test(name)) return 'time';
  return /^total_/.test(name) ? 'decimal' : 'text';
}

const ELEMENTS: Readonly<Record<Kind, Omit<SchemaElement, 'name'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  boolean: { type: 'BOOLEAN' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  decimal: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, converted_type: 'DECIMAL', precision: PRECISION, scale: SCALE },
};

/** Values that no decimal column holds: `total_energy_kwh=1e+30`, else absent. */
const BEYOND = 'beyond_columns';

/**
 * Pages of JSON lines, the first line with the columns' names, as one Parquet file. Empty text is
 * null. Nothing is rounded: a number that needs more digits than its column has is null there, and
 * stands in the last column.
 */
export async function* asParquet(pages: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let file: ParquetFile | undefined;
  let rows: string[][] = [];
  for await (const page of pages) {
    for (const line of page.toString().split('\n')) {
      if (line === '') continue;
      const fields = JSON.parse(line) as string[];
      if (file) rows.push(fields);
      else file = new ParquetFile(fields);
    }
    if (file && rows.length >= GROUP_ROWS) {
      yield file.group(rows);
      rows = [];
    }
  }
  if (!file) throw new Error('the ledger named no columns');
  if (rows.length > 0) yield file.group(rows);
  yield file.end();
}

class ParquetFile {
  private readonly bytes = new ByteWriter();
  private readonly writer: ParquetWriter;
  private readonly kinds: readonly Kind[];

  constructor(private readonly names: readonly string[]) {
    this.kinds = names.map(kindOf);
    const columns = [...names.map((name, n) => ({ name, ...ELEMENTS[this.kinds[n]!] })), { name: BEYOND, ...ELEMENTS.text }];
    const schema: SchemaElement[] = [
      { name: 'cdrs', num_children: columns.length },
      ...columns.map((column): SchemaElement => ({ ...column, repetition_type: 'OPTIONAL' })),
    ];
    this.writer = new ParquetWriter({ writer: this.bytes, schema, createdBy: 'Roamwatt' });
  }

  group(rows: readonly (readonly string[])[]): Buffer {
    const beyond: string[][] = rows.map(() => []);
    const columnData: { name: string; data: Value[] }[] = this.names.map((name, column) => ({
      name,
      data: rows.map((row, n) => {
        const text = row[column] ?? '';
        if (text === '') return undefined;
        const value = valueOf(this.kinds[column]!, text);
        if (value === undefined) beyond[n]!.push(`${name}=${text}`);
        return value;
      }),
    }));
    columnData.push({ name: BEYOND, data: beyond.map((names) => (names.length > 0 ? names.join(' ') : undefined)) });
    void this.writer.write({ columnData, rowGroupSize: rows.length });
    return this.taken();
  }

  end(): Buffer {
    void this.writer.finish();
    return this.taken();
  }

  /** What was written since; it is not kept. */
  private taken(): Buffer {
    const written = Buffer.from(this.bytes.getBytes());
    this.bytes.index = 0;
    return written;
  }
}

/** Undefined where the column cannot hold it. */
function valueOf(kind: Kind, text: string): Value {
  switch (kind) {
    case 'text':
      return text;
    case 'boolean':
      return text === 'true';
    case 'time':
      return new Date(instant(text));
    case 'decimal': {
      const value = decimal(text);
      if (value.scale > SCALE) return undefined;
      const unscaled = value.coefficient * 10n ** BigInt(SCALE - value.scale);
      return (unscaled < 0n ? -unscaled : unscaled).toString().length > PRECISION ? undefined : unscaled;
    }
  }
}
