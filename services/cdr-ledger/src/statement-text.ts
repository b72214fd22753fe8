import { instant, type Zone } from '#time';
import { localDay } from './month.ts';
import type {
  Statement,
  StatementDirection,
  StatementLine,
  StatementParty,
  StatementTotal,
} from './statement.ts';

/** The statement for people to read; its last line says who owes whom how much. */
export function statementText(statement: Statement, zone: Zone): string {
  const { own, partner, month, time_zone, issued, received, sentences } = statement;
  return [
    `Settlement ${month} between ${titleOf(own)} and ${titleOf(partner)}`,
    `CDRs by the time of their last update in ${time_zone}`,
    ...directionText(issued, zone),
    ...directionText(received, zone),
    '',
    sentences.join('\n'),
  ].join('\n');
}

function directionText(
  { creditor, debtor, lines, lines_left_out, totals }: StatementDirection,
  zone: Zone,
): string[] {
  const heading = ['', `${creditor.name} for charging by drivers of ${debtor.name}`];
  if (lines.length === 0) return [...heading, '  nothing'];
  const width = Math.max(...lines.map(({ payable }) => payable.length));
  return [
    ...heading,
    ...lines.map((line) => lineText(line, width, zone)),
    ...(lines_left_out === 0 ? [] : [`  … and ${lines_left_out} more`]),
    ...totals.map(totalText),
  ];
}

function lineText(line: StatementLine, width: number, zone: Zone): string {
  const what =
    line.credit_reference_id === undefined
      ? `${line.energy_kwh} kWh`
      : `credit for ${line.credit_reference_id}`;
  const flagged = line.findings ? `  (${line.findings.join(', ')})` : '';
  const day = localDay(instant(line.last_updated), zone);
  return `  ${day}  ${line.payable.padStart(width)} ${line.currency}  ${line.cdr_id}  ${what}${flagged}`;
}

function totalText({
  currency,
  cdrs,
  credits,
  charged,
  credited,
  balance,
  balance_excl_vat,
  vat,
}: StatementTotal): string {
  const counted = (count: number, thing: string) => `${count} ${thing}${count === 1 ? '' : 's'}`;
  return (
    `  ${counted(cdrs, 'CDR')} ${charged} − ${counted(credits, 'credit')} ${credited} = ${balance} ${currency}` +
    ` (${balance_excl_vat} and VAT ${vat})`
  );
}

function titleOf({ name, country_code, party_id }: StatementParty): string {
  return `${name} (${country_code}*${party_id})`;
}
