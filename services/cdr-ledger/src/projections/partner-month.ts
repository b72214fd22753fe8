import { decimal, digitsOf } from '#money';
import { type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';
import {
  type FeePeriod, type MonthScope, type SettledCdr, type StatementLine, type StatementNotes, type Tallies,
} from '#settlement';
import { instant, rfc3339 } from '#time';
import { type Finding, isRemark } from '../finding.ts';

/** A month of one partner, and the time by which what is not acknowledged is judged. */
export interface PartnerMonth {
  readonly own: Party;
  readonly partner: Party;
  readonly scope: MonthScope;
  /** Platform time, epoch ms. */
  readonly now: number;
  /** Both are parties of ours: nothing is sent between them, and so nobody acknowledges it. */
  readonly areOurs: boolean;
}

// $1, $2 the two parties; $3, $4 the month; $5 its closing; $6 now; $7, $8 since when, and after
// which closing, CDRs of months before are late: see isInScope of #settlement; $9 whether both are ours.
const KNOWN_BY_CLOSING = (row: string) =>
  `($5::timestamptz IS NULL OR ${row}.acknowledged_at <= $5 OR (${row}.acknowledged_at IS NULL AND ($9::boolean OR $6 <= $5)))`;

const OF_THE_MONTH = `s.last_updated >= $3 AND s.last_updated < $4 AND ${KNOWN_BY_CLOSING('s')}`;

const LATE = `s.last_updated >= $7 AND s.last_updated < $3
  AND ((s.acknowledged_at > $8 AND s.acknowledged_at <= $5)
    OR (s.acknowledged_at IS NULL AND NOT $9::boolean AND $6::timestamptz > $8::timestamptz AND $6 <= $5))`;

/** Nobody settles with itself. */
const OTHERS = 's.party <> s.token_party';

const BETWEEN = `${OTHERS} AND ((s.party = $1 AND s.token_party = $2) OR (s.party = $2 AND s.token_party = $1))`;

const AMOUNTS = `sum(energy_kwh)::text AS energy_kwh, sum(excl_tax)::text AS excl_tax,
  sum(incl_tax)::text AS incl_tax`;
const SESSIONS = 'sum(CASE WHEN part THEN 0 WHEN credit THEN -1 ELSE 1 END)::int AS sessions';

/** What sums need: a large month fits into memory without its lines. */
const SUMMED = `s.party AS issuer, s.currency, s.credit_of IS NOT NULL AS credit, s.credit_of, s.last_updated,
  s.energy_kwh, s.excl_tax, s.incl_tax, s.location_id, s.location_name, s.taxes,
  s.credit_of IS NOT NULL AND coalesce(s.remarks::jsonb ? 'part-credit', false) AS part`;

/** One statement sees one state of the rows: its parts always fit together. */
const TALLIES = `WITH scope AS MATERIALIZED (
    SELECT ${SUMMED}, false AS late FROM cdrs s WHERE ${BETWEEN} AND ${OF_THE_MONTH}
    UNION ALL
    SELECT ${SUMMED}, true AS late FROM cdrs s WHERE ${BETWEEN} AND ${LATE}
  ), totals AS (
    SELECT issuer, currency, late, count(*) FILTER (WHERE NOT credit)::int AS cdrs,
      count(*) FILTER (WHERE credit)::int AS credits, count(*) FILTER (WHERE part)::int AS part_credits, ${AMOUNTS},
      coalesce(sum(incl_tax) FILTER (WHERE credit), 0)::text AS credited
    FROM scope GROUP BY issuer, currency, late
  ), taxed AS (
    SELECT issuer, currency, t.code, t.rate, sum(t.base)::text AS base, sum(t.amount)::text AS amount
    FROM scope, json_to_recordset(taxes) AS t (code text, rate text, base numeric, amount numeric)
    GROUP BY issuer, currency, t.code, t.rate
  ), places AS (
    SELECT issuer, currency, location_id AS id, max(location_name) AS name, ${SESSIONS}, ${AMOUNTS}
    FROM scope GROUP BY issuer, currency, location_id
  ), dated AS (
    SELECT s.*, coalesce(o.last_updated, s.last_updated) AS fees_at
    FROM scope s LEFT JOIN cdrs o
      ON o.party = s.issuer AND o.cdr_key = s.credit_of AND o.credit_of IS NULL AND ${KNOWN_BY_CLOSING('o')}
  ), fees AS (
    SELECT issuer, currency, (p.n - 1)::int AS period, ${SESSIONS}, ${AMOUNTS}
    FROM dated JOIN unnest($10::timestamptz[], $11::timestamptz[]) WITH ORDINALITY AS p (starts, ends, n)
      ON fees_at >= p.starts AND fees_at < p.ends
    GROUP BY issuer, currency, p.n
  )
  SELECT (SELECT coalesce(json_agg(t), '[]') FROM totals t) AS totals,
    (SELECT coalesce(json_agg(t), '[]') FROM taxed t) AS taxes,
    (SELECT coalesce(json_agg(p), '[]') FROM places p) AS places,
    (SELECT coalesce(json_agg(f), '[]') FROM fees f) AS fees`;

/** What lies on the statement, summed up exactly by the database. */
export async function talliesOf(
  db: Queryable,
  month: PartnerMonth,
  periods: readonly FeePeriod[],
): Promise<Tallies> {
  const { rows } = await db.query<Tallies>(
    { name: 'settlement_tallies', text: TALLIES },
    [
      ...bounds(month),
      periods.map(({ from }) => rfc3339(from)),
      periods.map(({ to }) => (Number.isFinite(to) ? rfc3339(to) : 'infinity')),
    ],
  );
  return rows[0]!;
}

function bounds({ own, partner, scope, now, areOurs }: PartnerMonth): unknown[] {
  const { from, to, closesAt, late } = scope;
  const text = (ms: number | undefined) => (ms === undefined ? null : rfc3339(ms));
  return [
    ...[own, partner].map(partyText).sort(),
    text(from), text(to), text(closesAt), text(now), text(late?.since), text(late?.after), areOurs,
  ];
}

/** Whether there is any CDR between two parties. */
export async function wereBetween(db: Queryable, own: Party, partner: Party): Promise<boolean> {
  const { rowCount } = await db.query(`SELECT FROM cdrs s WHERE ${BETWEEN} LIMIT 1`, [partyText(own), partyText(partner)]);
  return rowCount > 0;
}

/** Behind which line a page begins. */
export interface LineCursor {
  /** Of `LINE_PARTS`. */
  readonly part: number;
  readonly lastUpdated: string;
  readonly cdrKey: string;
}

/** Of a statement's lines, in their order. */
export const LINE_PARTS = [
  { issuer: '$1', late: true }, { issuer: '$1', late: false },
  { issuer: '$2', late: true }, { issuer: '$2', late: false },
];

interface LineRow extends Omit<SettledCdr, 'session_id' | 'credit_reference_id' | 'taxes' | 'remarks' | 'location'> {
  readonly issuer: string;
  readonly session_id: string | null;
  readonly credit_reference_id: string | null;
  readonly location_id: string;
  readonly location_name: string;
  readonly taxes: SettledCdr['taxes'] | null;
  readonly remarks: SettledCdr['remarks'] | null;
  readonly cdr_key: string;
}

const LINE = `party AS issuer, cdr_id, session_id, credit_of IS NOT NULL AS credit, credit_reference_id, last_updated,
  currency, energy_kwh, excl_tax, incl_tax, taxes, location_id, location_name, remarks, cdr_key`;

/** As \`settledCdr\` made it, member by member: both sides write the same bytes. */
function lineOf(row: LineRow, late: boolean): StatementLine {
  const { issuer, cdr_id, session_id, credit, credit_reference_id, currency, energy_kwh, excl_tax, incl_tax } = row;
  return {
    cdr_id,
    ...(session_id === null ? {} : { session_id }),
    ...(credit_reference_id === null ? {} : { credit_reference_id }),
    credit,
    last_updated: rfc3339(instant(row.last_updated)),
    currency,
    energy_kwh,
    excl_tax,
    incl_tax,
    taxes: row.taxes ?? [],
    location: { id: row.location_id, name: row.location_name },
    remarks: row.remarks ?? [],
    issuer,
    late,
  };
}

/** The lines of a statement in its order, behind a cursor. Each part is a range of an index. */
export async function linesOf(
  db: Queryable,
  month: PartnerMonth,
  { after, limit }: { after: LineCursor | undefined; limit: number },
): Promise<{ line: StatementLine; cursor: LineCursor }[]> {
  const found: { line: StatementLine; cursor: LineCursor }[] = [];
  for (let part = after?.part ?? 0; part < LINE_PARTS.length && found.length < limit; part += 1) {
    const { issuer, late } = LINE_PARTS[part]!;
    const from = after?.part === part ? after : undefined;
    const { rows } = await db.query<LineRow>(
      {
        name: `settlement_lines_${part}`,
        // Every parameter has a type of its own, used by this part or not.
        text: `SELECT ${LINE} FROM cdrs s
          WHERE s.party = ${issuer} AND s.token_party = ${issuer === '$1' ? '$2' : '$1'} AND ${OTHERS} AND (${late ? LATE : OF_THE_MONTH})
            AND ($10::timestamptz IS NULL OR (s.last_updated, s.cdr_key) > ($10, $11::text))
            AND ($7::timestamptz IS NULL OR true) AND ($8::timestamptz IS NULL OR true)
            AND ($4::timestamptz IS NULL OR true)
          ORDER BY s.last_updated, s.cdr_key LIMIT $12`,
      },
      [...bounds(month), from?.lastUpdated ?? null, from?.cdrKey ?? null, limit - found.length],
    );
    for (const row of rows)
      found.push({ line: lineOf(row, late), cursor: { part, lastUpdated: row.last_updated, cdrKey: row.cdr_key } });
  }
  return found;
}

/** What we know beside the statement: CDRs of ours still on their way, and findings on the lines. */
export async function notesOn(
  db: Queryable,
  { own, partner, scope, areOurs }: PartnerMonth,
  lines: readonly StatementLine[],
): Promise<Omit<StatementNotes, 'disputed'>> {
  const keys = lines.map(({ cdr_id }) => cdr_id);
  const [awaiting, found] = await Promise.all([
    db.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM cdrs s
       WHERE party = $1 AND token_party = $2 AND ${OTHERS} AND acknowledged_at IS NULL AND last_updated < $3 AND NOT $4::boolean`,
      [partyText(own), partyText(partner), rfc3339(scope.to), areOurs],
    ),
    db.query<{ party: string; id: string; findings: Finding[] }>(
      `SELECT c.party, l.id, c.findings FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS l (issuer, id, n)
       JOIN cdrs c ON c.party = l.issuer AND c.cdr_key = lower(l.id COLLATE "C")
       WHERE c.findings <> '[]' ORDER BY l.n`,
      [lines.map(({ issuer }) => issuer), keys],
    ),
  ]);
  return {
    awaiting: awaiting.rows[0]?.count ?? 0,
    findings: found.rows.flatMap(({ party, id, findings }) => {
      const codes = findings.filter((finding) => !isRemark(finding)).map(({ code }) => code);
      return codes.length === 0 ? [] : [{ issuer: party, cdr_id: id, codes }];
    }),
  };
}

/**
 * Of the CDRs on the statement, those that were disputed and neither credited nor withdrawn at that time, as it is
 * payable: the same time gives the same answer for ever.
 */
export async function disputedOn(db: Queryable, month: PartnerMonth): Promise<StatementNotes['disputed']> {
  const { rows } = await db.query<StatementNotes['disputed'][number]>(
    `SELECT s.party AS issuer, s.currency, count(*)::int AS cdrs, sum(d.amount::numeric)::text AS amount
     FROM disputes d JOIN cdrs s ON s.party = d.party AND s.cdr_key = d.cdr_key
     WHERE ${BETWEEN} AND ((${OF_THE_MONTH}) OR (${LATE}))
       AND d.opened_at::timestamptz <= $6 AND (d.closed_at IS NULL OR d.closed_at::timestamptz > $6)
     GROUP BY s.party, s.currency ORDER BY s.party, s.currency`,
    bounds(month),
  );
  return rows.map((row) => {
    const digits = digitsOf(row.currency);
    return { ...row, amount: decimal(row.amount).roundTo(digits, 'half-away-from-zero').toFixed(digits) };
  });
}
