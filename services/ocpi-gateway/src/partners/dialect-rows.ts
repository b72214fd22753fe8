import { idKey } from '#ocpi';
import type { Converted } from '#ocpi-versions';
import type { Database, Queryable } from '#postgres';
import type { Clock } from '#time';

/** What a partner's version could not carry, once each: for the operator to see. */
export class NotCarriedRows {
  private readonly known = new Set<string>();

  constructor(private readonly db: Database, private readonly clock: Clock) {}

  async keep(partnerId: string, what: string, made: Converted): Promise<void> {
    // What a partner got wrong, it was told.
    const said = made.ok ? made.lost : made.why === 'invalid' ? [] : [made.message];
    const lost = said.map((each) => `${what}: ${general(each)}`);
    const fresh = [...new Set(lost)].filter((each) => !this.known.has(`${partnerId} ${each}`));
    if (fresh.length === 0) return;
    if (this.known.size > KNOWN_MAX) this.known.clear();
    for (const each of fresh) this.known.add(`${partnerId} ${each}`);
    await this.db.query(
      `INSERT INTO not_carried (partner_id, what, first_at) SELECT $1, unnest($2::text[]), $3
       WHERE EXISTS (SELECT FROM partners WHERE partner_id = $1)
         AND (SELECT count(*) FROM not_carried WHERE partner_id = $1) < $4 ON CONFLICT DO NOTHING`,
      [partnerId, fresh, new Date(this.clock.now()), LINES_MAX],
    );
  }

  /** Another version loses other things. */
  async forget(tx: Queryable, partnerId: string): Promise<void> {
    this.known.clear();
    await tx.query('DELETE FROM not_carried WHERE partner_id = $1', [partnerId]);
  }
}

const KNOWN_MAX = 10_000;
/** Of a partner: it may make up words that no version has. */
const LINES_MAX = 300;

/** One line for all objects, whatever the item's number. */
function general(lost: string): string {
  return lost.replace(/\[\d+\]/g, '[]').slice(0, 200);
}

/** By partner. */
export async function allNotCarried(db: Queryable): Promise<Map<string, string[]>> {
  const { rows } = await db.query<{ partner_id: string; what: string }>('SELECT partner_id, what FROM not_carried ORDER BY first_at, what');
  return new Map([...Map.groupBy(rows, (row) => row.partner_id)].map(([id, group]) => [id, group.map(({ what }) => what)]));
}

/** A start was ordered with this token: 2.1.1 will answer with no more than its contract. */
export async function noteSentToken(
  db: Queryable, sent: { partnerId: string; contractId: string; evseUid: string; uid: string; type: string; at: number },
): Promise<void> {
  await db.query(
    `INSERT INTO sent_tokens (partner_id, contract_key, evse_key, uid, type, sent_at)
     SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT FROM partners WHERE partner_id = $1)`,
    [sent.partnerId, idKey(sent.contractId), idKey(sent.evseUid), sent.uid, sent.type, new Date(sent.at)],
  );
}

/** A contract is erased: nothing names it here any more. */
export async function forgetSentTokens(db: Queryable, contractId: string): Promise<void> {
  await db.query('DELETE FROM sent_tokens WHERE contract_key = $1', [idKey(contractId)]);
}

/** The last one that was sent there within the hour before a charge began: it stays the same for ever. */
export async function lastSentToken(
  db: Queryable,
  {
    partnerId,
    contractId,
    evseUid,
    startedMs,
  }: { partnerId: string; contractId: string; evseUid: string; startedMs: number },
): Promise<{ uid: string; type: string } | undefined> {
  const { rows } = await db.query<{ uid: string; type: string }>(
    `SELECT uid, type FROM sent_tokens WHERE partner_id = $1 AND contract_key = $2 AND evse_key IN ($3, '')
       AND sent_at > $4::timestamptz - interval '1 hour' AND sent_at <= $4::timestamptz + interval '5 minutes'
     ORDER BY sent_at DESC LIMIT 1`,
    [partnerId, idKey(contractId), idKey(evseUid), new Date(startedMs)],
  );
  return rows[0];
}
