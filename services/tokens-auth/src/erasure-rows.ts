import type { Forgetter, Kept } from '#contracts/erasure';
import type { Holder } from '#erasure';
import { idKey, sameId } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import { forgetSettled } from './contest-rows.ts';

/** An erasure as it stands. Who is erased is there for as long as somebody has not forgotten it. */
export interface ErasureRow {
  readonly erasureId: string;
  readonly at: string;
  readonly holder: Omit<Holder, 'at'> | undefined;
  readonly kept: readonly (Omit<Kept, '$typeName' | 'count'> & { readonly count: number })[];
  readonly forgottenBy: readonly Forgetter[];
  /** By service: what has to come first. */
  readonly waits: Readonly<Record<string, string>>;
}

interface Row extends Omit<ErasureRow, 'holder'> {
  readonly holder: Omit<Holder, 'at'> | null;
}

const COLUMNS = 'erasure_id AS "erasureId", at, holder, kept, forgotten_by AS "forgottenBy", waits';
/** One of a release before says nothing of other contracts. */
const erasure = ({ holder, ...row }: Row): ErasureRow =>
  ({ ...row, holder: holder ? { ...holder, otherContractIds: holder.otherContractIds ?? [] } : undefined });

export async function findErasure(db: Queryable, erasureId: string, lock = false): Promise<ErasureRow | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM contract_erasures WHERE erasure_id = $1 ${lock ? 'FOR UPDATE' : ''}`, [erasureId]);
  return rows[0] && erasure(rows[0]);
}

/** Those that are not over. */
export async function openErasures(db: Queryable): Promise<ErasureRow[]> {
  const { rows } = await db.query<Row>(`SELECT ${COLUMNS} FROM contract_erasures WHERE holder IS NOT NULL`);
  return rows.map(erasure);
}

export async function storeErasure(tx: Tx, { erasureId, at, holder, kept, forgottenBy, waits }: ErasureRow): Promise<void> {
  await tx.query(
    `INSERT INTO contract_erasures (erasure_id, at, holder, kept, forgotten_by, waits) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (erasure_id) DO UPDATE SET
       holder = excluded.holder, forgotten_by = excluded.forgotten_by, waits = excluded.waits`,
    [erasureId, at, holder ? JSON.stringify(holder) : null, JSON.stringify(kept), forgottenBy, JSON.stringify(waits)],
  );
}

const OF_CONTRACT = `country_code = upper($1) AND party_id = upper($2) AND translate(token::json ->> 'contract_id',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = $3`;
const ofContract = ({ party, contractId }: Pick<Holder, 'party' | 'contractId'>) =>
  [party.country_code, party.party_id, idKey(contractId)];

export async function tokensOfContract(db: Queryable, contract: Pick<Holder, 'party' | 'contractId'>): Promise<string[]> {
  const { rows } = await db.query<{ token: string }>(`SELECT token FROM tokens WHERE ${OF_CONTRACT}`, ofContract(contract));
  return rows.map(({ token }) => token);
}

/** For which the uids were issued, too, that the contract's tokens have or had. */
export async function otherContracts(db: Queryable, contract: Pick<Holder, 'party' | 'contractId'>): Promise<string[]> {
  const { rows } = await db.query<{ contract: string }>(
    `WITH theirs AS (
       SELECT uid FROM tokens WHERE ${OF_CONTRACT}
       UNION SELECT uid FROM former_contracts WHERE country_code = upper($1) AND party_id = upper($2) AND contract_id = $3)
     SELECT DISTINCT contract FROM (
       SELECT token::json ->> 'contract_id' AS contract FROM tokens JOIN theirs USING (uid)
         WHERE country_code = upper($1) AND party_id = upper($2)
       UNION SELECT contract_id FROM former_contracts JOIN theirs USING (uid)
         WHERE country_code = upper($1) AND party_id = upper($2)) AS of_uids
     ORDER BY contract`,
    ofContract(contract),
  );
  return rows.map((row) => row.contract).filter((other) => !sameId(other, contract.contractId));
}

/** What was put after the erasure is of a new contract. */
export async function deleteTokens(db: Queryable, holder: Holder): Promise<void> {
  await db.query(`DELETE FROM tokens WHERE ${OF_CONTRACT} AND last_updated <= $4`, [...ofContract(holder), holder.at]);
  await db.query(
    'DELETE FROM former_contracts WHERE country_code = upper($1) AND party_id = upper($2) AND contract_id = $3', ofContract(holder));
  await forgetSettled(db);
  await db.query('DELETE FROM contracts_without_credit WHERE contract_key = $1', [idKey(holder.contractId)]);
}
