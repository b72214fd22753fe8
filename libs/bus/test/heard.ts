import type { Database, MigrationList } from '#postgres';

/** What a listener wrote: `n` is the order in which it did. */
export const heardMigrations: MigrationList = [
  {
    name: 'test-1-heard',
    up: () => [
      'CREATE TABLE heard (n bigint GENERATED ALWAYS AS IDENTITY, key text NOT NULL, number int NOT NULL, replica text)',
    ],
  },
];

export interface HeardRow {
  key: string;
  number: number;
  replica: string;
}

export async function heardRows(db: Database): Promise<HeardRow[]> {
  return (await db.query<HeardRow>('SELECT key, number, replica FROM heard ORDER BY n')).rows;
}

/** Per key 1, 2, 3 …, each once: nothing lost, doubled or out of order. */
export function faults(
  rows: readonly HeardRow[],
  countPerKey: ReadonlyMap<string, number>,
): string[] {
  const last = new Map<string, number>();
  const found: string[] = [];
  for (const { key, number } of rows) {
    const before = last.get(key) ?? 0;
    if (number !== before + 1) found.push(`${key}: ${number} after ${before}`);
    last.set(key, Math.max(before, number));
  }
  for (const [key, count] of countPerKey) {
    if (last.get(key) !== count) found.push(`${key}: ${last.get(key)} of ${count}`);
  }
  return found;
}

/**
 * "key:number" for `total` facts over some keys, drawn by the seed; each key counts from 1 (or on).
 */
export function seededValues(
  seed: number,
  total: number,
  keys: number,
  counts = new Map<string, number>(),
): string[] {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: total }, () => {
    const key = `k${Math.floor(next() * keys)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return `${key}:${counts.get(key)}`;
  });
}
