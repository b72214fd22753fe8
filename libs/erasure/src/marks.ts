import { createHmac } from 'node:crypto';
import { idKey, type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';
import { instant } from '#time';
import type { Holder, Subject } from './holder.ts';

/**
 * Who was erased, as keyed hashes: without the platform's secret they name nobody. They are for
 * facts that come late, which would bring back what was forgotten. All are in memory: there are as
 * many as there were erasures.
 */
export class Marks {
  private marks = new Map<string, number>();

  constructor(
    private readonly db: Queryable,
    private readonly key: Buffer,
  ) {}

  async load(): Promise<void> {
    const { rows } = await this.db.query<{ mark: Buffer; at: string }>('SELECT mark, at FROM erased_marks');
    this.marks = new Map(rows.map(({ mark, at }) => [mark.toString('base64'), instant(at)]));
  }

  async note(holder: Holder, tokenUids: readonly string[]): Promise<void> {
    const { party, contractId, at } = holder;
    const marks = [
      this.contract(party, contractId),
      ...tokenUids.flatMap((uid) => [this.token(party, uid), this.token(undefined, uid)]),
    ];
    await this.db.query(
      `INSERT INTO erased_marks (mark, at) SELECT DISTINCT mark, $2 FROM unnest($1::bytea[]) AS mark
       ON CONFLICT (mark) DO UPDATE SET at = greatest(erased_marks.at, excluded.at)`,
      [marks, at],
    );
    for (const mark of marks) this.marks.set(mark.toString('base64'), instant(at));
  }

  /** Whether what happened to somebody at that instant (RFC 3339) was erased, or would have been. */
  isErased({ party, contractId, uid }: Subject, happenedAt: string): boolean {
    if (this.marks.size === 0) return false;
    const marks = [
      ...(party && contractId !== undefined ? [this.contract(party, contractId)] : []),
      ...(uid === undefined ? [] : [this.token(party, uid)]),
    ];
    const happenedMs = instant(happenedAt);
    return marks.some((mark) => (this.marks.get(mark.toString('base64')) ?? -Infinity) >= happenedMs);
  }

  private contract(party: Party, contractId: string): Buffer {
    return this.hash('contract', partyText(party), idKey(contractId));
  }

  private token(party: Party | undefined, uid: string): Buffer {
    return this.hash('token', party ? partyText(party) : '', idKey(uid));
  }

  private hash(...what: readonly string[]): Buffer {
    return createHmac('sha256', this.key).update(what.join('\0')).digest();
  }
}
