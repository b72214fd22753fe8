import {
  exampleCdrToSettle, exampleTerms, type HeldCdr, settle, settledCdr, SettlementCalendar, type Statement,
  type StatementLine, tallied,
} from '#settlement';
import { instant, rfc3339, zone } from '#time';

/** February 2022 between Energy OASIS and Carbon Plunk, closed, with so many CDRs of each kind. */
export function settledStatement(
  count: number,
  place = ', Burnaby',
): { statement: Statement; lines: readonly StatementLine[] } {
  const calendar = new SettlementCalendar([exampleTerms], zone('UTC'));
  const month = '2022-02';
  const now = instant('2022-06-01T00:00:00Z');
  const held = Array.from({ length: count }, (_, n): HeldCdr => {
    const last_updated = rfc3339(instant('2022-02-01T18:00:00Z') + n * 3_600_000);
    const isTheirs = place === '' && n % 4 === 3;
    const cdr_location = {
      ...exampleCdrToSettle.cdr_location,
      ...(place === '' ? { name: 'Burnaby', city: '', state: isTheirs ? 'QC' : 'BC' } : {}),
    };
    const total_cost = { excl_vat: 10 + n / 10, incl_vat: (10 + n / 10) * (isTheirs ? 1.14975 : 1.05) };
    const settled = settledCdr({ ...exampleCdrToSettle, id: `S-${n}`, session_id: `S-${n}`, last_updated, cdr_location, total_cost });
    return { ...settled, issuer: isTheirs ? 'CA*CPK' : 'CA*BCT', acknowledged_at: last_updated };
  });
  const { lines, ...tallies } = tallied(held, { calendar, month, now });
  const parties = exampleTerms.parties.map(({ country_code, party_id, name }) => ({ party: `${country_code}*${party_id}`, name }));
  return { statement: settle({ ...tallies, month, calendar, parties, lines, now }), lines };
}
