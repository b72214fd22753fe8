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
    const { party, contractId, otherContractIds, at } = holder;
    const marks = [
      this.contract(party, contractId),
      ...tokenUids.flatMap((uid) => [this.token(party, uid), this.token(undefined, uid)]),
      ...tokenUids.flatMap((uid) => otherContractIds.map((other) => this.another(party, uid, other))),
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
    const happenedMs = instant(happenedAt);
    const isMarked = (mark: Buffer) => (this.marks.get(mark.toString('base64')) ?? -Infinity) >= happenedMs;
    if (party && contractId !== undefined && isMarked(this.contract(party, contractId))) return true;
    if (uid === undefined || !isMarked(this.token(party, uid))) return false;
    return !(party && contractId !== undefined && isMarked(this.another(party, uid, contractId)));
  }

  private contract(party: Party, contractId: string): Buffer {
    return this.hash('contract', partyText(party), idKey(contractId));
  }

  private token(party: Party | undefined, uid: string): Buffer {
    return this.hash('token', party ? partyText(party) : '', idKey(uid));
  }

  /** By its uid alone a token would be of who was erased: it is of a contract that was not. */
  private another(party: Party, uid: string, contractId: string): Buffer {
    return this.hash('another', partyText(party), idKey(uid), idKey(contractId));
  }

  private hash(...what: readonly string[]): Buffer {
    return createHmac('sha256', this.key).update(what.join('\0')).digest();
  }
}
