import { idKey } from '#ocpi';
import type { Queryable, Tx } from '#postgres';

/** Which of our drivers' contracts have no credit left: a mirror of what the cdr-ledger told last. */

export async function noteCredit(tx: Tx, contractKey: string, exhausted: boolean): Promise<void> {
  await tx.query(
    exhausted
      ? 'INSERT INTO contracts_without_credit (contract_key) VALUES ($1) ON CONFLICT DO NOTHING'
      : 'DELETE FROM contracts_without_credit WHERE contract_key = $1',
    [contractKey],
  );
}

/** Those of the contracts that have none, each as `idKey` spells it. */
export async function withoutCredit(db: Queryable, contractIds: readonly string[]): Promise<Set<string>> {
  if (contractIds.length === 0) return new Set();
  const { rows } = await db.query<{ key: string }>({
    name: 'contracts-without-credit',
    text: 'SELECT contract_key AS key FROM contracts_without_credit WHERE contract_key = ANY($1)',
  }, [contractIds.map(idKey)]);
  return new Set(rows.map(({ key }) => key));
}
