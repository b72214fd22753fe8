import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Page, PageEndSchema, type PageRequestSchema } from '#contracts/party';
import type { OcpiRequest } from './exchange.ts';

export type PageAsk = MessageInitShape<typeof PageRequestSchema>;
type Ask = (page: PageAsk) => Promise<Page>;

/** A page that nobody has come for is let go. */
const KEPT_MS = 3_000;
/** Pages held at the same time; one has half a megabyte at most. */
const MOST_HELD = 32;

/** What a reader will ask for who goes on by the Link that it was given here. */
interface Next {
  readonly key: string;
  page?: Promise<Page | undefined>;
}

/**
 * Who follows the Links of a list has the next page read while it takes in the one before. Before it goes out its owner is
 * asked whether it would be the same now, and answers with what it is now where it would not: a page is never older than its
 * request, just sooner there.
 */
export class ReadingAhead {
  private readonly next = new Map<string, Next>();

  async read({ caller, url, afterAnswer }: OcpiRequest, page: PageAsk, ask: Ask): Promise<Page> {
    const reader = `${caller.partner.id} ${url}`;
    const known = this.next.get(reader);
    const follows = known?.key === keyOf(page);
    const held = follows ? await known.page : undefined;
    const now = await ask(held?.mark ? { ...page, unless: held.mark } : page);
    const read = now.unchanged && held ? { ...held, total: now.total } : now;
    const behind = behindPage(page, read);
    this.next.delete(reader);
    if (behind && read.mark) this.expect(reader, behind, follows ? { ask, afterAnswer } : undefined);
    return read;
  }

  /** Of a list that was only begun nothing is read ahead: many read no further. */
  private expect(reader: string, page: PageAsk, reading: { ask: Ask; afterAnswer(fn: () => void): void } | undefined): void {
    const next: Next = { key: keyOf(page) };
    this.next.set(reader, next);
    setTimeout(() => {
      if (this.next.get(reader) === next) this.next.delete(reader);
    }, KEPT_MS).unref();
    reading?.afterAnswer(() => {
      if (this.next.get(reader) !== next || this.held() >= MOST_HELD) return;
      next.page = reading.ask(page).catch(() => undefined);
    });
  }

  private held(): number {
    return [...this.next.values()].filter(({ page }) => page !== undefined).length;
  }
}

/** Undefined on the last page, and where a list cannot be gone on with behind a position. */
function behindPage(page: PageAsk, { objectsJson, position, more }: Page): PageAsk | undefined {
  if (position === undefined || !more) return undefined;
  const offset = (page.offset ?? 0) + objectsJson.length;
  return { ...page, offset, after: create(PageEndSchema, { position, offset }) };
}

function keyOf({ offset, limit, dateFrom, dateTo, after }: PageAsk): string {
  return [offset, limit, dateFrom, dateTo, after?.position, after?.offset].join(' ');
}
