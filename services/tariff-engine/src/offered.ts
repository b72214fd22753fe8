import type { TariffPublished, TariffWithdrawn } from '#contracts/tariff-engine';
import { fromJsonBytes } from '#contracts';
import type { Party, Tariff } from '#ocpi';
import { type ObjectPage, pageByCreation, type PageRequest, type Queryable, type Tx } from '#postgres';
import { streamOf, streamsOf } from './tariff-key.ts';

/** Read model: our own tariffs as they stand, in order of creation. */
export async function publishedOffered(tx: Tx, fact: TariffPublished): Promise<void> {
  if (!fact.own) return;
  await tx.query(
    `INSERT INTO offered (stream, last_updated, tariff) VALUES ($1, $2, $3)
     ON CONFLICT (stream) DO UPDATE SET last_updated = excluded.last_updated, tariff = excluded.tariff`,
    [
      streamOf({ party: fact.party!, tariffId: fact.tariffId }), fact.lastUpdated,
      JSON.stringify(fromJsonBytes<Tariff>(fact.tariffJson)),
    ],
  );
}

export async function withdrawnOffered(tx: Tx, fact: TariffWithdrawn): Promise<void> {
  await tx.query('DELETE FROM offered WHERE stream = $1', [streamOf({ party: fact.party!, tariffId: fact.tariffId })]);
}

/** Our own tariffs, or those of one of our parties, in order of creation, without some. */
export function listOffered(
  db: Queryable,
  request: PageRequest,
  { except = [], owner }: { readonly except?: readonly string[]; readonly owner?: Party | undefined } = {},
): Promise<ObjectPage> {
  const begins = owner === undefined ? '' : streamsOf({ countryCode: owner.country_code, partyId: owner.party_id });
  const where = 'NOT (stream = ANY ($3)) AND starts_with(stream, $4)';
  return pageByCreation(db, { table: 'offered', text: 'tariff', where, values: [except, begins] }, request);
}
