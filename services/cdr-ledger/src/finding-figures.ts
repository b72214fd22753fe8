import type { Figures, Finding } from './finding.ts';

/** The figures of a finding; of one that a former release noted, as its words have them. */
export function figuresOf({ detail, figures }: Finding): Figures | undefined {
  return figures ?? readFrom(detail);
}

/** By the forms that details had; one of another form gives none. */
function readFrom(detail: string): Figures | undefined {
  for (const [form, read] of FORMER) {
    const groups = form.exec(detail)?.groups;
    if (groups) return read(groups as Groups);
  }
  return undefined;
}

type Groups = Readonly<Record<'field' | 'told' | 'due' | 'currency' | 'vat' | 'unit' | 'start', string>>;

const FORMER: readonly (readonly [RegExp, (groups: Groups) => Figures])[] = [
  [/ comes to in (?<told>\S+); in (?<due>\S+), the zone /, ({ told, due }) => ({ told, due })],
  [
    /^(?<field>\w+) is (?<told>-?[\d.]+) (?<currency>[A-Z]{3}) (?<vat>excl|incl)\. VAT, expected (?<due>-?[\d.]+): /,
    ({ field, told, due, currency, vat }) => ({ field, told, due, currency, vat: vat as 'excl' | 'incl' }),
  ],
  [/^total_cost is (?<told>-?[\d.]+) (?<currency>[A-Z]{3})(?: |,)/, ({ told, currency }) => ({ field: 'total_cost', told, currency })],
  [
    /^(?<field>total_\w+) is (?<told>-?[\d.]+) (?<unit>kWh|h), .* (?<due>-?[\d.]+) (?:kWh|h)$/,
    ({ field, told, due, unit }) => ({ field, told, due, unit: unit as 'kWh' | 'h' }),
  ],
  [
    /^it charges (?<told>.+) of tax; .* has (?<due>[A-Z]+ [\d.]+ %.*)$/,
    ({ told, due }) => ({ ...(told === 'another amount' ? {} : { told: rates(told) }), due: rates(due), unit: '%' }),
  ],
  [/^it ends at (?<told>\S+), before (?<start>\S+)$/, ({ told, start }) => ({ field: 'end_date_time', told, start })],
  [/^last_updated is (?<told>\S+), before the charge began at (?<start>\S+): /, ({ told, start }) => ({ field: 'last_updated', told, start })],
  [/^(?<told>\S+) is yet to come$/, ({ told }) => ({ told })],
];

/** "GST 5 % and QST 9.975 %" */
function rates(text: string): string {
  return text.replaceAll(' %', '').replaceAll(' and ', ', ');
}
