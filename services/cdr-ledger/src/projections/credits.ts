import { type Decimal, decimal } from '#money';
import { idKey, partyText } from '#ocpi';
import type { Tx } from '#postgres';
import type { Finding } from '../finding.ts';
import type { PublicCdr } from '../private-part.ts';
import { settleOverlaps } from './overlaps.ts';

/** The first credit of a CDR is the one that counts. */
export async function markCredited(tx: Tx, party: string, credit: PublicCdr): Promise<void> {
  await tx.query(
    'UPDATE cdrs SET credited_by = $3 WHERE party = $1 AND cdr_key = $2 AND credited_by IS NULL',
    [party, idKey(credit.credit_reference_id ?? ''), credit.id],
  );
  await settleOverlaps(tx, credit, idKey(credit.credit_reference_id ?? ''));
}

/** What is wrong between a received credit and its original; where it is right, that is credited. */
export async function creditFindings(tx: Tx, cdr: PublicCdr): Promise<Finding[]> {
  if (!cdr.credit) return [];
  const reference = cdr.credit_reference_id ?? '';
  const { rows } = await tx.query<{ credited_by: string | null; public_json: string }>(
    'SELECT credited_by, public_json FROM cdrs WHERE party = $1 AND cdr_key = $2 AND credit_of IS NULL',
    [partyText(cdr), idKey(reference)],
  );
  const original = rows[0];
  if (!original) {
    return [
      {
        code: 'credit-of-unknown-original',
        detail: `CDR ${reference}, which it credits, was never received`,
      },
    ];
  }
  if (original.credited_by !== null) {
    return [
      {
        code: 'second-credit',
        detail: `CDR ${reference} was credited by ${original.credited_by} before`,
      },
    ];
  }
  await markCredited(tx, partyText(cdr), cdr);
  return amountFindings(cdr, JSON.parse(original.public_json) as PublicCdr);
}

/** CDR-04, CDR-05: a credit takes back all of its original, with the VAT and the energy. */
function amountFindings(credit: PublicCdr, original: PublicCdr): Finding[] {
  const credited = amountsOf(credit, (amount) => decimal(amount).neg());
  const charged = amountsOf(original, decimal);
  const wrong = charged.find(({ amount, unit }, n) =>
    !amount.equals(credited[n]!.amount) || unit !== credited[n]!.unit);
  if (wrong === undefined) return [];
  const { amount, unit } = credited[charged.indexOf(wrong)]!;
  return [
    {
      code: 'credit-differs-from-original',
      detail: `credits ${amount} ${unit}${wrong.of} of the ${wrong.amount} ${wrong.unit} that CDR ${original.id} charged`,
    },
  ];
}

function amountsOf({ total_cost, total_energy, currency }: PublicCdr, signed: (told: number) => Decimal) {
  const { excl_vat, incl_vat = excl_vat } = total_cost;
  return [
    { amount: signed(excl_vat), unit: currency.toUpperCase(), of: '' },
    { amount: signed(incl_vat), unit: currency.toUpperCase(), of: ' incl. VAT' },
    { amount: decimal(total_energy), unit: 'kWh', of: '' },
  ];
}
