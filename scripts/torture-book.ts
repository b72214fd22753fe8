import type { Fact } from '#bus';
import type { Cdr } from '#ocpi';

/** A CDR that a ledger told to have issued, and what the other one answered to it. */
export interface Bill {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly cdr: Cdr;
  /** The other ledger's acknowledgement: when it was recorded first. */
  recordedAt?: string;
}

/** What one ledger was told and answered, as those beside it know: what must be in it in the end. */
export class Book {
  readonly sessions = new Map<string, Fact>();
  readonly bills = new Map<string, Bill>();
  /** By command id, as answered. */
  readonly corrections = new Map<string, { creditCdrId: string; replacementCdrId?: string | undefined }>();
  readonly disputes = new Map<string, string>();
  readonly answers = new Map<string, string>();
  /** Amounts that the driver paid, by command id. */
  readonly payments = new Map<string, string>();
  /** Ids of partners' CDRs that it told to have received. */
  readonly heardReceived = new Set<string>();
  readonly marks: string[] = [];
}

/** What was wrong, and how often what happened. */
export class Findings {
  readonly problems: string[] = [];
  readonly counts = new Map<string, number>();

  wrong(problem: string): void {
    this.problems.push(problem);
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }
}
