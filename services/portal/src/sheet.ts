import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import PDFDocument from 'pdfkit';

/** Noto Sans has the letters of every language that is written from left to right. */
const { resolve } = createRequire(import.meta.url);
const FONTS = {
  regular: resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'),
  bold: resolve('@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf'),
};

const MARGIN = 50;
const FOOTER = 40;
const GAP = 6;
const GREY = '#555555';
const ROWS_OF_A_TURN = 20;

export interface Column {
  readonly title: string;
  /** Points; the first column without one takes what is left. */
  readonly width?: number;
  readonly right?: boolean;
}

export interface TextStyle {
  readonly size?: number;
  readonly bold?: boolean;
  readonly grey?: boolean;
}

/**
 * A document on letter paper that is written from top to bottom, with its fonts inside. Nothing in it
 * depends on when or where it is made: the same words are the same bytes.
 */
export class Sheet {
  private readonly doc: PDFKit.PDFDocument;
  private readonly chunks: Buffer[] = [];
  private readonly done: Promise<Buffer>;

  /** `at`: the time that the document says it was made. */
  constructor({ title, author, at }: { title: string; author: string; at: Date }) {
    this.doc = new PDFDocument({
      size: 'LETTER', margin: MARGIN, bufferPages: true, font: FONTS.regular, lang: 'en-CA', displayTitle: true,
      info: { Title: title, Author: author, Creator: 'Roamwatt', Producer: 'Roamwatt', CreationDate: at, ModDate: at },
    });
    this.doc.registerFont('regular', FONTS.regular);
    this.doc.registerFont('bold', FONTS.bold);
    this.done = new Promise((done, failed) => {
      this.doc.on('data', (chunk: Buffer) => this.chunks.push(chunk));
      this.doc.on('end', () => done(Buffer.concat(this.chunks)));
      this.doc.on('error', failed);
    });
  }

  private get width(): number {
    return this.doc.page.width - 2 * MARGIN;
  }

  private get bottom(): number {
    return this.doc.page.height - MARGIN - FOOTER;
  }

  newPage(): void {
    this.doc.addPage();
  }

  space(points = GAP): void {
    this.doc.y += points;
  }

  line(text: string, style: TextStyle = {}): void {
    this.pen(style);
    if (this.doc.y + this.doc.currentLineHeight() > this.bottom) this.newPage();
    this.doc.text(text, MARGIN, this.doc.y, { width: this.width });
  }

  heading(text: string): void {
    // A heading does not stand alone at the foot of a page.
    if (this.doc.y + 60 > this.bottom) this.newPage();
    this.space(10);
    this.line(text, { size: 11, bold: true });
    this.space(2);
  }

  /** Blocks of lines beside each other; the first line of each is bold. */
  beside(...blocks: readonly (readonly string[])[]): void {
    const width = this.width / blocks.length;
    const top = this.doc.y;
    let end = top;
    for (const [index, [first = '', ...rest]] of blocks.entries()) {
      const x = MARGIN + index * width;
      this.pen({ bold: true });
      this.doc.text(first, x, top, { width: width - GAP });
      this.pen({});
      for (const text of rest) this.doc.text(text, x, this.doc.y, { width: width - GAP });
      end = Math.max(end, this.doc.y);
    }
    this.doc.y = end + GAP;
  }

  /**
   * Rows below the columns' titles, which stand on every page anew; `last` rows are bold. Text goes on
   * in the next line of its cell: nothing is cut off. Now and then others who wait for this process
   * have their turn.
   */
  async table(columns: readonly Column[], rows: readonly (readonly string[])[], last = 0): Promise<void> {
    const places = this.placesOf(columns);
    const titles = () => {
      this.row(places, columns.map(({ title }) => [title]), { size: 8, grey: true });
      this.rule();
    };
    if (this.doc.y + 40 > this.bottom) this.newPage();
    titles();
    for (const [index, row] of rows.entries()) {
      const style = { size: 8, bold: index >= rows.length - last };
      this.pen(style);
      const lines = row.map((text, column) => linesOf(text, places[column]!, (part) => this.doc.widthOfString(part)));
      if (this.doc.y + this.heightOf(lines) > this.bottom) {
        this.newPage();
        titles();
      }
      this.row(places, lines, style);
      if (index % ROWS_OF_A_TURN === ROWS_OF_A_TURN - 1) await nextTurn();
    }
    this.space();
  }

  private placesOf(columns: readonly Column[]): Place[] {
    const given = columns.reduce((sum, { width = 0 }) => sum + width, 0);
    let x = MARGIN;
    let left = this.width - given;
    return columns.map(({ width, right = false }) => {
      const its = width ?? left;
      if (width === undefined) left = 0;
      const place = { x, width: its - GAP, right };
      x += its;
      return place;
    });
  }

  private row(places: readonly Place[], cells: readonly (readonly string[])[], style: TextStyle): void {
    this.pen(style);
    const top = this.doc.y;
    for (const [index, lines] of cells.entries()) {
      const { x, width, right } = places[index]!;
      for (const [line, text] of lines.entries()) {
        const start = right ? x + width - this.doc.widthOfString(text) : x;
        this.doc.text(text, start, top + line * this.doc.currentLineHeight(), { lineBreak: false });
      }
    }
    this.doc.y = top + this.heightOf(cells);
  }

  private heightOf(cells: readonly (readonly string[])[]): number {
    return Math.max(...cells.map(({ length }) => length)) * this.doc.currentLineHeight() + 2;
  }

  private rule(): void {
    const y = this.doc.y;
    this.doc.moveTo(MARGIN, y).lineTo(MARGIN + this.width, y).lineWidth(0.5).strokeColor(GREY).stroke();
    this.doc.y = y + 3;
  }

  private pen({ size = 9, bold = false, grey = false }: TextStyle): void {
    this.doc.font(bold ? 'bold' : 'regular').fontSize(size).fillColor(grey ? GREY : '#000000');
  }

  /** Numbers the pages, each with `footer` beside, and ends the document. */
  finish(footer: string): Promise<Buffer> {
    const { start, count } = this.doc.bufferedPageRange();
    for (let page = start; page < start + count; page += 1) {
      this.doc.switchToPage(page);
      this.pen({ size: 7, grey: true });
      const y = this.doc.page.height - MARGIN - 10;
      const number = `Page ${page + 1} of ${count}`;
      this.doc.text(footer, MARGIN, y, { lineBreak: false });
      this.doc.text(number, MARGIN + this.width - this.doc.widthOfString(number), y, { lineBreak: false });
    }
    this.doc.end();
    return this.done;
  }
}

interface Place {
  readonly x: number;
  readonly width: number;
  readonly right: boolean;
}

/** A number stays in one piece; words go into the next line, and one that is too long is broken. */
function linesOf(text: string, { width, right }: Place, widthOf: (part: string) => number): string[] {
  if (right || widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const character of word) {
      if (line !== '' && widthOf(line + character) > width) {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  return [...lines, line];
}
