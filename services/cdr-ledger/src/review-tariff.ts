import { decimal, digitsOf } from '#money';
import { type Cdr, sameId, type Tariff } from '#ocpi';
import { inForce } from '#pricing';
import { instant } from '#time';
import { tariffDifferences } from './differences.ts';
import { type Finding, found } from './finding.ts';
import { type Difference, type KnownZone, pricedIn, tooMuch } from './review-price.ts';

/** A version of a partner's tariff that we hold. */
export interface HeldTariff {
  readonly version: number;
  readonly tariff: Tariff;
  /** When we took it. */
  readonly heldSince: string;
}

/** What we hold of one of a CDR's tariffs, or why it is not known. */
export type PublishedTariff =
  | {
      readonly tariffId: string;
      /** In force with us at the session's start; undefined: none was. */
      readonly atStart: HeldTariff | undefined;
      /** Of a charge that was reserved before: in force when it began. */
      readonly atCharge?: HeldTariff | undefined;
      /** Others that we hold, where the first is not the CDR's. */
      readonly others: readonly HeldTariff[];
    }
  | { readonly tariffId: string; readonly unknown: string };

/**
 * When the charge of a CDR began, behind the reservation that its CDR may begin with: a CPO may take the
 * tariff of either.
 */
export function chargeBeganAt({ start_date_time, charging_periods }: Pick<Cdr, 'start_date_time' | 'charging_periods'>): string {
  const isReserved = ({ dimensions }: Cdr['charging_periods'][number]) => dimensions.some(({ type }) => type === 'RESERVATION_TIME');
  if (!charging_periods[0] || !isReserved(charging_periods[0])) return start_date_time;
  return charging_periods.find((period) => !isReserved(period))?.start_date_time ?? start_date_time;
}

/** Whether a CDR's tariffs are those that its sender had published to us when the session began. */
export function reviewTariffs(
  cdr: Cdr,
  published: readonly PublishedTariff[],
  timeZone: KnownZone,
): Finding[] {
  return (cdr.tariffs ?? []).flatMap((tariff) => {
    const ours = published.find(({ tariffId }) => sameId(tariffId, tariff.id));
    if (!ours) return [];
    if ('unknown' in ours) return found('tariff-not-compared', `tariff ${tariff.id}: ${ours.unknown}`);
    return compared(cdr, tariff, { ...ours, timeZone });
  });
}

const SHOWN = 3;

function compared(
  cdr: Cdr,
  tariff: Tariff,
  { atStart, atCharge, others, timeZone }: Extract<PublishedTariff, { atStart: unknown }> & { timeZone: KnownZone },
): Finding[] {
  const isAsIn = (held: HeldTariff) => tariffDifferences(tariff, held.tariff).length === 0;
  if (atCharge && mayHold(chargeBeganAt(cdr), atCharge, others).some(isAsIn)) return [];
  const same = others.find(isAsIn);
  const alsoHeld = same
    ? `; it is version ${same.version}, which we hold since ${same.heldSince}`
    : '';
  const start = cdr.start_date_time;
  if (!atStart) {
    const detail = `tariff ${tariff.id} was not published to us by the start at ${start}${alsoHeld}`;
    return found('tariff-not-compared', detail);
  }
  const then = mayHold(start, atStart, others);
  if (then.some(isAsIn)) return [];
  const [first] = then;
  const differing = tariffDifferences(tariff, first.tariff);
  const more = differing.length > SHOWN ? ` and ${differing.length - SHOWN} more` : '';
  const where = `${differing.slice(0, SHOWN).join('; ')}${more}`;
  const money = inMoney(cdr, first.tariff, timeZone);
  return found(
    'tariff-not-as-published',
    `tariff ${tariff.id} differs from version ${first.version}, published to us when the session began: ${where}${money?.said ?? ''}${alsoHeld}`,
    money?.figures,
  );
}

/**
 * Where one was for a time that is over, its sender may go by the one before it, or know of no other. The newest, and others
 * that we hold, newest first.
 */
function mayHold(at: string, newest: HeldTariff, others: readonly HeldTariff[]): [HeldTariff, ...HeldTariff[]] {
  const versions = [newest, ...others.filter(({ version }) => version < newest.version)];
  const { begun = newest, valid } = inForce(versions, instant(at), ({ tariff }) => tariff);
  return valid && valid !== begun ? [valid, begun] : [begun];
}

/** What the CDR would be by the tariff as it was published. */
function inMoney(cdr: Cdr, published: Tariff, timeZone: KnownZone): Difference | undefined {
  const tariffs = cdr.tariffs!.map((one) => (sameId(one.id, published.id) ? published : one));
  const repriced = pricedIn({ ...cdr, tariffs }, timeZone, { splitAnew: true });
  if ('code' in repriced) return undefined;
  const { currency, total_cost, credit } = cdr;
  const total = decimal(total_cost.excl_vat);
  const told = credit === true ? total.neg() : total;
  const due = repriced.priced.unrounded.excl.roundTo(digitsOf(currency), 'half-away-from-zero');
  const by = told.sub(due);
  const difference = by.isZero() ? 'the same' : tooMuch(by, currency);
  return {
    said: `. By what was published it is ${due} ${currency} excl. VAT, not ${told}: ${difference}`,
    figures: { field: 'total_cost', told: told.toString(), due: due.toString(), currency, vat: 'excl' },
  };
}
