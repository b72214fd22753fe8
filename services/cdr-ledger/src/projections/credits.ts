import { type Decimal, decimal } from '#money';
import { idKey, type Party, partyText } from '#ocpi';
import { bigintArray, type Queryable, type Statement, textArray, type Tx } from '#postgres';
import { settledCdr } from '#settlement';
import type { Finding } from '../finding.ts';
import type { PublicCdr } from '../private-part.ts';
import type { CdrReceived } from '../received-cdr.ts';
import type { CreditedSoFar } from '../taken-back.ts';
import { cdrOf } from './listed-cdr.ts';

/** The first credit of a CDR is the one that counts. */
export async function markCredited(tx: Tx, party: string, credit: PublicCdr): Promise<void> {
  await tx.query(
    'UPDATE cdrs SET credited_by = $3 WHERE party = $1 AND cdr_key = $2 AND credited_by IS NULL',
    [party, idKey(credit.credit_reference_id ?? ''), credit.id],
  );
}

const SO_FAR: Statement = {
  name: 'credits_so_far',
  text: `SELECT c."position", e.data FROM (
           SELECT "position" FROM cdrs WHERE party = $1 AND cdr_key = $2 AND credit_of IS NULL
           UNION ALL (SELECT "position" FROM cdrs WHERE party = $1 AND credit_of = $2 ORDER BY "position" LIMIT 100)) c
         JOIN events e ON e."position" = c."position" ORDER BY c."position"`,
};

/** The ids of the (first 100) credits of a CDR. */
export async function creditsOf(db: Queryable, party: Party, cdrId: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'SELECT cdr_id AS id FROM cdrs WHERE party = $1 AND credit_of = $2 ORDER BY "position" LIMIT 100', [partyText(party), idKey(cdrId)]);
  return rows.map(({ id }) => id);
}

/** How a CDR is settled, and the (first 100) credits of it so far; undefined for one that is not here. */
export async function creditedSoFar(db: Queryable, party: Party, cdrId: string): Promise<CreditedSoFar | undefined> {
  const { rows } = await db.query<{ data: string }>(SO_FAR, [partyText(party), idKey(cdrId)]);
  // By their entries: rows of former releases may name taxes as they did.
  const settled = rows.map(({ data }) => settledCdr(cdrOf(data), (JSON.parse(data) as Pick<CdrReceived, 'taxed'>).taxed));
  const original = settled.find(({ credit }) => !credit);
  return original && { original, before: settled.filter(({ credit }) => credit) };
}

/** What is wrong between a received credit and its original; where it is right, that is credited. */
export async function creditFindings(tx: Tx, cdr: PublicCdr): Promise<Finding[]> {
  if (!cdr.credit) return [];
  const reference = cdr.credit_reference_id ?? '';
  const { rows } = await tx.query<{ credited_by: string | null; data: string }>(
    `SELECT c.credited_by, e.data FROM cdrs c JOIN events e ON e."position" = c."position"
     WHERE c.party = $1 AND c.cdr_key = $2 AND c.credit_of IS NULL`,
    [partyText(cdr), idKey(reference)],
  );
  const original = rows[0];
  if (!original) {
    return [
      {
        code: 'credit-of-unknown-original',
        detail: reference === ''
          ? 'it names no CDR that it credits, and none is known that it could be for'
          : `CDR ${reference}, which it credits, was never received`,
      },
    ];
  }
  if (original.credited_by !== null) return secondCredit(cdr, original.credited_by);
  await markCredited(tx, partyText(cdr), cdr);
  return amountFindings(cdr, cdrOf(original.data));
}

/** A received CDR that was just listed. */
export interface Original {
  readonly position: bigint;
  readonly party: string;
  readonly cdr_key: string;
  readonly charged: Charged;
}

/** What a credit has to take back. */
type Charged = Pick<PublicCdr, 'id' | 'total_cost' | 'total_energy' | 'currency'>;

const OVERTAKEN: Statement = {
  name: 'credits_overtaken',
  text: `SELECT n."position" AS original, c."position", e.data
         FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n ("position", party, cdr_key)
         CROSS JOIN LATERAL (SELECT * FROM cdrs WHERE party = n.party AND credit_of = n.cdr_key OFFSET 0) c
         JOIN events e ON e."position" = c."position"
         WHERE c."position" < n."position" ORDER BY c."position"`,
};

/**
 * Credits that overtook these originals: the first one counts, as if it had come behind, and is no more
 * a credit of an unknown one.
 */
export async function creditOvertaken(tx: Tx, originals: readonly Original[]): Promise<void> {
  if (originals.length === 0) return;
  const { rows } = await tx.query<{ original: bigint; position: bigint; data: string }>(OVERTAKEN, [
    bigintArray(originals.map(({ position }) => position)),
    textArray(originals.map(({ party }) => party)),
    textArray(originals.map(({ cdr_key }) => cdr_key)),
  ]);
  const first = new Map<bigint, PublicCdr>();
  for (const { original: at, position, data } of rows) {
    const original = originals.find((one) => one.position === at)!;
    const credit = cdrOf(data);
    const before = first.get(at);
    if (before === undefined) {
      first.set(at, credit);
      await markCredited(tx, original.party, credit);
    }
    await tx.query(KNOWN, [position, JSON.stringify(before ? secondCredit(credit, before.id) : amountFindings(credit, original.charged))]);
  }
}

const KNOWN: Statement = {
  name: 'credits_known',
  text: `UPDATE cdrs SET findings = coalesce((
           SELECT jsonb_agg(f) FROM jsonb_array_elements(cdrs.findings) AS f
           WHERE f->>'code' <> 'credit-of-unknown-original'), '[]') || $2::jsonb
         WHERE "position" = $1`,
};

function secondCredit({ credit_reference_id }: PublicCdr, by: string): Finding[] {
  return [{ code: 'second-credit', detail: `CDR ${credit_reference_id} was credited by ${by} before` }];
}

/** CDR-04, CDR-05: a credit takes back all of its original, with the VAT and the energy. */
function amountFindings(credit: Charged, original: Charged): Finding[] {
  const credited = amountsOf(credit, (amount) => decimal(amount).neg());
  const charged = amountsOf(original, decimal);
  const wrong = charged.find(({ amount, unit }, n) =>
    !amount.equals(credited[n]!.amount) || unit !== credited[n]!.unit);
  if (wrong === undefined) return [];
  const { amount, unit, figures } = credited[charged.indexOf(wrong)]!;
  return [
    {
      code: 'credit-differs-from-original',
      detail: `credits ${amount} ${unit}${wrong.of} of the ${wrong.amount} ${wrong.unit} that CDR ${original.id} charged`,
      figures: unit === wrong.unit
        ? { told: amount.toString(), due: wrong.amount.toString(), ...figures }
        : { field: 'currency', told: unit, due: wrong.unit },
    },
  ];
}

function amountsOf({ total_cost, total_energy, currency }: Charged, signed: (told: number) => Decimal) {
  const { excl_vat, incl_vat = excl_vat } = total_cost;
  const unit = currency.toUpperCase();
  return [
    { amount: signed(excl_vat), unit, of: '', figures: { field: 'total_cost', currency: unit, vat: 'excl' } },
    { amount: signed(incl_vat), unit, of: ' incl. VAT', figures: { field: 'total_cost', currency: unit, vat: 'incl' } },
    { amount: decimal(total_energy), unit: 'kWh', of: '', figures: { field: 'total_energy', unit: 'kWh' } },
  ] as const;
}
