import { type Party, partyText } from '#ocpi';
import type { Queryable, Statement } from '#postgres';
import { type Found, listed, type ListedCdr, SELECT } from './listed-cdr.ts';

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
  const { rows } = await db.query<Found>(RECEIVED, [after, issuer && partyText(issuer), from, to, limit, inDoubt]);
  return rows.map(listed);
}

const RECEIVED: Statement = {
  name: 'received_cdrs',
  text: `${SELECT} WHERE NOT c.own AND c."position" > $1 AND ($2::text IS NULL OR c.party = $2)
    AND ($3::timestamptz IS NULL OR c.last_updated >= $3) AND ($4::timestamptz IS NULL OR c.last_updated < $4)
    AND (NOT $6 OR jsonb_path_exists(c.findings, '$[*] ? (@.code != "signed-data-valid")'))
    ORDER BY c."position" LIMIT $5`,
};
