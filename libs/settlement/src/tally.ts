import { type Decimal, decimal } from '#money';
import { instant } from '#time';
import { isInScope, type SettlementCalendar } from './calendar.ts';
import { sessionsIn, type SettledCdr } from './settled.ts';
import type { StatementLine } from './statement.ts';
import type { Tallies } from './tallies.ts';
import { compare } from './terms.ts';

/** A CDR between two parties, with when it was acknowledged as far as this side knows. */
export interface HeldCdr extends SettledCdr {
  readonly issuer: string;
  readonly acknowledged_at?: string | undefined;
}

export interface Tallied extends Tallies {
  /** All of them, in the order of a statement. */
  readonly lines: readonly StatementLine[];
}

/**
 * What lies on the statement of a month, summed up in memory; `now` is epoch ms. The ledger's database
 * does the same in SQL, and is tested against this.
 */
export function tallied(
  cdrs: readonly HeldCdr[],
  { calendar, month, now }: { calendar: SettlementCalendar; month: string; now: number },
): Tallied {
  const scope = calendar.scopeOf(month);
  const lines = cdrs.flatMap((cdr) => {
    const acknowledged = cdr.acknowledged_at === undefined ? now : instant(cdr.acknowledged_at);
    const place = isInScope(scope, instant(cdr.last_updated), acknowledged);
    if (place === undefined) return [];
    const { acknowledged_at: _, ...line } = cdr;
    return [{ ...line, late: place === 'late' }];
  });
  const periods = calendar.feePeriods();
  // What came after the closing changes nothing that was closed.
  const isKnown = ({ acknowledged_at: at }: HeldCdr) =>
    scope.closesAt === undefined || (at === undefined ? now : instant(at)) <= scope.closesAt;
  const originals = new Map(
    cdrs.filter((cdr) => !cdr.credit && isKnown(cdr)).map((cdr) => [keyOf(cdr, cdr.cdr_id), cdr]),
  );
  const periodOf = (line: StatementLine) => {
    const reference = keyOf(line, line.credit_reference_id ?? '');
    const original = line.credit ? originals.get(reference) : undefined;
    const at = instant((original ?? line).last_updated);
    return periods.findIndex(({ from, to }) => from <= at && at < to);
  };
  return {
    lines: [...lines].sort(inOrder),
    totals: groups(
      lines,
      ({ issuer, currency, late }) => ({ issuer, currency, late }),
      (all) => {
        const credits = all.filter(({ credit }) => credit);
        return {
          cdrs: all.length - credits.length,
          credits: credits.length,
          part_credits: credits.filter((credit) => sessionsIn(credit) === 0).length,
          ...amounts(all),
          credited: total(credits.map(({ incl_tax }) => incl_tax)),
        };
      },
    ),
    taxes: groups(
      lines.flatMap(({ issuer, currency, taxes }) =>
        taxes.map((tax) => ({ ...tax, issuer, currency })),
      ),
      ({ issuer, currency, code, rate }) => ({ issuer, currency, code, rate }),
      (all) => ({
        base: total(all.map(({ base }) => base)),
        amount: total(all.map(({ amount }) => amount)),
      }),
    ),
    places: groups(
      lines,
      ({ issuer, currency, location: { id } }) => ({ issuer, currency, id }),
      (all) => ({
        name: all.map(({ location }) => location.name).sort(compare).at(-1) ?? '',
        sessions: sessions(all),
        ...amounts(all),
      }),
    ),
    fees: groups(
      lines.filter((line) => periodOf(line) >= 0),
      (line) => ({ issuer: line.issuer, currency: line.currency, period: periodOf(line) }),
      (all) => ({ sessions: sessions(all), ...amounts(all) }),
    ),
  };
}

/** Late ones first, then by issuer, time and id. */
function inOrder(a: StatementLine, b: StatementLine): number {
  return (
    compare(a.issuer, b.issuer) ||
    Number(b.late) - Number(a.late) ||
    instant(a.last_updated) - instant(b.last_updated) ||
    compare(a.cdr_id.toLowerCase(), b.cdr_id.toLowerCase())
  );
}

function keyOf({ issuer }: { issuer: string }, cdrId: string): string {
  return `${issuer} ${cdrId.toLowerCase()}`;
}

function groups<T, K extends object, V extends object>(
  all: readonly T[],
  keyOf: (one: T) => K,
  summed: (group: readonly T[]) => V,
): (K & V)[] {
  const grouped = Map.groupBy(all, (one) => JSON.stringify(keyOf(one)));
  return [...grouped].sort(([a], [b]) => compare(a, b))
    .map(([, group]) => ({ ...keyOf(group[0]!), ...summed(group) }));
}

function amounts(all: readonly StatementLine[]) {
  return {
    energy_kwh: total(all.map(({ energy_kwh }) => energy_kwh)),
    excl_tax: total(all.map(({ excl_tax }) => excl_tax)),
    incl_tax: total(all.map(({ incl_tax }) => incl_tax)),
  };
}

function sessions(all: readonly StatementLine[]): number {
  return all.reduce((count, line) => count + sessionsIn(line), 0);
}

function total(texts: readonly string[]): string {
  return texts.reduce<Decimal>((all, text) => all.add(decimal(text)), decimal(0)).toString();
}
