import { Readable } from 'node:stream';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getStatement, listStatementLines } from '#contracts/cdr-ledger';
import type { Statement, StatementLine, StatementNotes } from '#settlement';
import { FileAnswer } from './route.ts';
import { csvFees, csvLines, CSV_HEADER, invoicesOf } from './statement-csv.ts';

export interface StatementId {
  readonly countryCode: string;
  readonly partyId: string;
  readonly month: string;
  /** Which of our own parties; absent where we are one. */
  readonly ownParty?: { readonly countryCode: string; readonly partyId: string };
}

export interface FoundStatement {
  readonly statement: Statement;
  readonly notes: StatementNotes;
  readonly text: string;
}

/** Sums over a large month take their time. */
const TIMEOUT_MS = 30_000;

/** Statements of the ledger, as JSON and as documents. */
export class Statements {
  constructor(private readonly bus: Bus) {}

  async find(id: StatementId): Promise<FoundStatement> {
    const asked = askedOf(id);
    const { statementJson, notesJson, text } = await this.bus.ask(getStatement, asked, { timeoutMs: TIMEOUT_MS });
    return { statement: fromJsonBytes<Statement>(statementJson), notes: fromJsonBytes<StatementNotes>(notesJson), text };
  }

  async page(
    id: StatementId,
    { after, limit }: { after: string; limit: number },
  ): Promise<{ lines: StatementLine[]; next: string }> {
    const asked = { ...askedOf(id), after, limit };
    const { linesJson, next } = await this.bus.ask(listStatementLines, asked, { timeoutMs: TIMEOUT_MS });
    return { lines: linesJson.map((bytes) => fromJsonBytes<StatementLine>(bytes)), next };
  }

  async* pages(id: StatementId): AsyncGenerator<StatementLine[]> {
    for (let after = ''; ;) {
      const { lines, next } = await this.page(id, { after, limit: PAGE });
      if (lines.length === 0) return;
      yield lines;
      after = next;
    }
  }

  /** Streamed, however long the month is. What is not closed may grow while it is read. */
  async csv(id: StatementId): Promise<FileAnswer> {
    const { statement } = await this.find(id);
    const invoices = invoicesOf(statement);
    const pages = this.pages(id);
    const rows = async function* () {
      yield CSV_HEADER;
      for await (const lines of pages) yield csvLines(lines, invoices);
      yield csvFees(statement);
    };
    return new FileAnswer('text/csv; charset=utf-8', nameOf(id, 'csv'), Readable.from(rows(), { objectMode: false }));
  }

  async pdf(id: StatementId): Promise<FileAnswer> {
    const { statement } = await this.find(id);
    // What makes PDFs takes long to load, and few starts of the portal are for one.
    const { PDF_LINES_MAX, statementPdf } = await import('./statement-pdf.ts');
    const lines: StatementLine[] = [];
    for await (const page of this.pages(id)) {
      lines.push(...page);
      if (lines.length >= PDF_LINES_MAX) break;
    }
    return new FileAnswer('application/pdf', nameOf(id, 'pdf'), await statementPdf(statement, lines.slice(0, PDF_LINES_MAX)));
  }
}

const PAGE = 1_000;

function askedOf({ countryCode, partyId, month, ownParty }: StatementId) {
  return { partner: { countryCode, partyId }, month, ...(ownParty ? { ownParty } : {}) };
}

function nameOf({ countryCode, partyId, month, ownParty }: StatementId, ending: string): string {
  const own = ownParty ? `${ownParty.countryCode}-${ownParty.partyId}-` : '';
  return `statement-${own}${countryCode}-${partyId}-${month}.${ending}`;
}
