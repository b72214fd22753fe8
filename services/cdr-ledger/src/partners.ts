import { type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';

/** What partners are called, as they registered; a party that never did is called by its id. */
export async function nameOf(db: Queryable, party: Party): Promise<string> {
  const { rows } = await db.query<{ name: string }>('SELECT name FROM partners WHERE party = $1', [
    partyText(party),
  ]);
  return rows[0]?.name ?? partyText(party);
}

export async function isRegistered(db: Queryable, party: Party): Promise<boolean> {
  const { rowCount } = await db.query('SELECT FROM partners WHERE party = $1', [partyText(party)]);
  return rowCount > 0;
}

export async function rememberPartner(db: Queryable, party: Party, name: string): Promise<void> {
  await db.query(
    'INSERT INTO partners (party, name) VALUES ($1, $2) ON CONFLICT (party) DO UPDATE SET name = excluded.name',
    [partyText(party), name],
  );
}
