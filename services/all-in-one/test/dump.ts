import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Side } from './stage.ts';

/** Where a platform's database, or what its processes wrote beside it, has one of these texts, in any case. */
export async function placesOf(side: Side, texts: readonly string[]): Promise<string[]> {
  const tables = await side.query<{ name: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE' ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    for (const row of await side.query<Record<string, unknown>>(`SELECT * FROM ${name}`)) {
      for (const [column, value] of Object.entries(row)) if (has(value, texts)) found.push(`${name}.${column}: ${textOf(value)}`);
    }
  }
  // What its planner keeps of columns; PostgreSQL has no means to take that of a table without rows away.
  const samples = await side.query<{ column: string; kept: string }>(
    `SELECT concat_ws('.', schemaname, tablename, attname) AS column, concat_ws(' ', most_common_vals::text, histogram_bounds::text) AS kept
     FROM pg_stats JOIN pg_class ON pg_class.oid = format('%I.%I', schemaname, tablename)::regclass
     WHERE reltuples > 0 AND schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  for (const { column, kept } of samples) if (has(kept, texts)) found.push(`pg_stats of ${column}: ${kept}`);
  const { logDir } = side.platform();
  for (const file of readdirSync(logDir)) {
    for (const line of readFileSync(join(logDir, file), 'utf8').split('\n')) if (has(line, texts)) found.push(`${file}: ${line}`);
  }
  return found;
}

function has(value: unknown, texts: readonly string[]): boolean {
  const lower = textOf(value).toLowerCase();
  return texts.some((text) => lower.includes(text.toLowerCase()));
}

function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return typeof value === 'string' ? value : JSON.stringify(value) ?? '';
}
