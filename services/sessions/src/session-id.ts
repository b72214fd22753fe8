import { createHash } from 'node:crypto';

/** What makes one transaction of one station: a station's ids may begin anew after a restore. */
export interface TransactionIdentity {
  readonly platform: string;
  readonly stationId: string;
  readonly transactionId: string;
  /** RFC 3339 UTC. */
  readonly startedAt: string;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const LETTERS = 12;

/**
 * The session's id, `20220201-K7QXW2MZ4ABC`: the same transaction is the same session, however often
 * it is told. 21 characters leave room for a CDR's `-1` and a credit's `-C` within 36 and 39.
 */
export function sessionIdOf({
  platform,
  stationId,
  transactionId,
  startedAt,
}: TransactionIdentity): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([platform, stationId, transactionId, startedAt]))
    .digest();
  const letters = Array.from({ length: LETTERS }, (_, n) => {
    const bit = n * 5;
    const two = digest.readUInt16BE(bit >> 3);
    return BASE32[(two >> (11 - (bit & 7))) & 31];
  });
  return `${startedAt.slice(0, 10).replaceAll('-', '')}-${letters.join('')}`;
}
