import type { CdrRow } from './cdr-row.ts';

/** More than there are places for writers (`pace.ts`). */
const KEPT_MAX = 2_000;

/**
 * The rows of CDRs that this process has just recorded, by the id of their entry, until the list comes to them. They are
 * made while the CDR is in hand, and need not be made of the entry's text again. One that is not here, for whatever
 * reason, is made from the log.
 */
export class RowsAhead {
  private readonly rows = new Map<string, CdrRow>();

  put(entryId: string, row: CdrRow): void {
    if (this.rows.size >= KEPT_MAX) this.rows.delete(this.rows.keys().next().value!);
    this.rows.set(entryId, row);
  }

  take(entryId: string): CdrRow | undefined {
    const row = this.rows.get(entryId);
    if (row !== undefined) this.rows.delete(entryId);
    return row;
  }
}
