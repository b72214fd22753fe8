import { type Party, partyText } from '#ocpi';
import type { Queryable, Statement } from '#postgres';
import { type Found, listed, type ListedCdr, selectFrom } from './listed-cdr.ts';

export interface ReceivedWindow {
  readonly issuer?: Party | undefined;
  /** RFC 3339; from inclusive, to exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Only those in which something was found that is not in order. */
  readonly inDoubt?: boolean;
  /** The position of the last one before; 0 at first. */
  readonly after: bigint;
  readonly limit: number;
}

/** CDRs that partners sent, in the order in which they came; a page begins behind a position, so none is passed over. */
export async function receivedCdrs(db: Queryable, { issuer, from, to, inDoubt = false, after, limit }: ReceivedWindow): Promise<ListedCdr[]> {
  const statement = inDoubt ? IN_DOUBT : RECEIVED;
  const { rows } = await db.query<Found>(statement, [after, issuer && partyText(issuer), from, to, limit]);
  return rows.map(listed);
}

/** The page first: PostgreSQL takes a third of all CDRs to be in doubt, and would read the whole log to join them. */
const pageOf = (which: string) => `WITH page AS MATERIALIZED (SELECT * FROM cdrs
    WHERE ${which} AND "position" > $1 AND ($2::text IS NULL OR party = $2)
    AND ($3::timestamptz IS NULL OR last_updated >= $3) AND ($4::timestamptz IS NULL OR last_updated < $4)
    ORDER BY "position" LIMIT $5)
  ${selectFrom('page')} ORDER BY c."position"`;

const RECEIVED: Statement = { name: 'received_cdrs', text: pageOf('NOT own') };

/** As the index cdrs_in_doubt says it, or it is not used. */
const IN_DOUBT: Statement = {
  name: 'received_cdrs_in_doubt',
  text: pageOf(`NOT own AND jsonb_path_exists(findings, '$[*] ? (@.code != "signed-data-valid")')`),
};
