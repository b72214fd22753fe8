import { idKey } from '#ocpi';
import type { Queryable } from '#postgres';
import type { MonthWindow } from '#settlement';
import type { AccountEvent } from '../account.ts';
import type { ChargeEvent } from '../charge.ts';
import type { PublicCdr } from '../private-part.ts';
import type { AccountLine } from './account-rows.ts';
import { cdrOf } from './listed-cdr.ts';

/** What a month of an account is made of: the lines that it has, their entries and their CDRs. */
export interface AccountMonth {
  /** By currency, of all lines before: decimal text. */
  readonly opening: ReadonlyMap<string, string>;
  readonly lines: readonly MonthLine[];
}

export interface MonthLine extends Pick<AccountLine, 'position' | 'kind' | 'at' | 'currency' | 'party' | 'cdrId'> {
  readonly amount: string;
  readonly entry: AccountEvent | ChargeEvent;
  readonly cdr: PublicCdr | undefined;
}

export async function accountMonth(db: Queryable, accountId: string, { from, to }: MonthWindow): Promise<AccountMonth> {
  const { rows: sums } = await db.query<{ currency: string; sum: string }>(
    `SELECT currency, sum(amount) FROM account_lines WHERE account_id = $1 AND at::timestamptz < $2 GROUP BY currency`,
    [accountId, from],
  );
  const { rows } = await db.query<Omit<MonthLine, 'entry' | 'cdr'> & { data: string }>(
    `SELECT l."position", l.kind, l.at, l.currency, l.amount, l.party, l.cdr_id AS "cdrId", e.data
     FROM account_lines l JOIN events e ON e."position" = l."position"
     WHERE l.account_id = $1 AND l.at::timestamptz >= $2 AND l.at::timestamptz < $3 ORDER BY l."position"`,
    [accountId, from, to],
  );
  const cdrs = await cdrsOf(db, rows.flatMap(({ party, cdrId }) => (party === null || cdrId === null ? [] : [{ party, cdrId }])));
  return {
    opening: new Map(sums.map(({ currency, sum }) => [currency, sum])),
    lines: rows.map(({ data, ...line }) => ({
      ...line, entry: JSON.parse(data) as AccountEvent | ChargeEvent, cdr: cdrs.get(`${line.party} ${idKey(line.cdrId ?? '')}`),
    })),
  };
}

async function cdrsOf(db: Queryable, wanted: readonly { party: string; cdrId: string }[]): Promise<Map<string, PublicCdr>> {
  const { rows } = await db.query<{ key: string; data: string }>(
    `SELECT c.party || ' ' || c.cdr_key AS key, e.data FROM unnest($1::text[], $2::text[]) AS w (party, cdr_key)
     JOIN cdrs c ON c.party = w.party AND c.cdr_key = w.cdr_key JOIN events e ON e."position" = c."position"`,
    [wanted.map(({ party }) => party), wanted.map(({ cdrId }) => idKey(cdrId))],
  );
  return new Map(rows.map(({ key, data }) => [key, cdrOf(data)]));
}
