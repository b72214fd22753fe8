/** One JSON value of a text, still as text. */
export interface Piece {
  readonly text: string;
  /** Where it begins; the first line is 1. */
  readonly line: number;
  /** Which entry of its list it is, from 0 on, where that begins on the same line. */
  readonly entry?: number;
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const NEWLINE = 10;

/** OCPI's envelope has its list in the first, a page of the portal in the second. */
const ENVELOPES: ReadonlySet<string> = new Set(['data', 'objects']);

/** The depth of values that are not wanted: what stands in an envelope behind its list. */
const PASSED_OVER = Infinity;

/**
 * Cuts a text of any length that comes in parts into the values it holds: the entries of a list, or
 * of the list that is in an envelope, or the values that follow one another. It only
 * looks at brackets and strings; what a piece is worth is for a parser to say.
 */
export class JsonPieces {
  /** The part that is looked at, and how far. */
  #text = '';
  #at = 0;
  /** What parts before had of the piece and of the string that are open: added up and never looked at, or each part would copy it. */
  #held = '';
  #heldString = '';
  #line = 1;
  #depth = 0;
  /** At this depth begin the values that are wanted. */
  #base = 0;
  #inString = false;
  #stringFrom = 0;
  #lastString = '';
  #key = '';
  /** Where the piece that is open begins or, of one from a part before, 0; -1 = none is. */
  #from = -1;
  #fromLine = 1;
  #listLine = 0;
  #entries = 0;

  /** The values that are complete with this part of the text. */
  push(text: string): Piece[] {
    this.#text = text;
    const found: Piece[] = [];
    for (; this.#at < text.length; this.#at++) this.#take(found);
    this.#at -= text.length;
    if (this.#from >= 0) {
      this.#held += text.slice(this.#from);
      this.#from = 0;
    }
    if (this.#inString && this.#depth === 1) this.#heldString += text.slice(this.#stringFrom);
    this.#stringFrom = 0;
    return found;
  }

  /** What is left at the end: a value that is not complete, or one without brackets. */
  end(): Piece[] {
    if (this.#from >= 0) return [this.#piece('')];
    // A list that is not closed: whatever parses this says that the text ends too early.
    return this.#depth > 0 ? [{ text: '[', line: this.#line }] : [];
  }

  /** How much text is waiting for its end. */
  get held(): number {
    return Math.max(this.#held.length, this.#heldString.length);
  }

  #take(found: Piece[]): void {
    const char = this.#text.charCodeAt(this.#at);
    if (char === NEWLINE) this.#line++;
    if (this.#inString) {
      if (char === BACKSLASH) this.#at++;
      else if (char === QUOTE) this.#closeString();
      return;
    }
    switch (char) {
      case QUOTE:
        this.#begin();
        this.#inString = true;
        this.#stringFrom = this.#at;
        return;
      case COLON:
        if (this.#depth === 1) this.#key = this.#lastString;
        return;
      case OPEN_LIST:
      case OPEN_OBJECT:
        this.#open(char);
        return;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        this.#close(found);
        return;
      case COMMA:
        if (this.#depth === this.#base) this.#finish(found, this.#at);
        return;
      default:
        if (char > 32 && char !== 0xfeff) this.#begin();
        else if (char === NEWLINE && this.#depth === 0) this.#finish(found, this.#at);
    }
  }

  #begin(): void {
    if (this.#from >= 0 || this.#depth !== this.#base) return;
    this.#from = this.#at;
    this.#fromLine = this.#line;
  }

  #closeString(): void {
    this.#inString = false;
    if (this.#depth !== 1) return;
    this.#lastString = (this.#heldString + this.#text.slice(this.#stringFrom, this.#at)).slice(1);
    this.#heldString = '';
  }

  #open(char: number): void {
    const list = char === OPEN_LIST;
    if (this.#depth === 0 && list && this.#from < 0) {
      this.#list(1);
    } else if (this.#depth === 1 && this.#base === 0 && list && ENVELOPES.has(this.#key)) {
      this.#list(2);
      this.#from = -1;
      this.#held = '';
    } else {
      this.#begin();
    }
    if (this.#depth === 0) this.#key = '';
    this.#depth++;
  }

  #list(base: number): void {
    this.#base = base;
    this.#listLine = this.#line;
    this.#entries = 0;
  }

  #close(found: Piece[]): void {
    if (this.#depth === 0) {
      this.#begin();
      return this.#finish(found, this.#at + 1);
    }
    this.#depth--;
    if (this.#depth === this.#base) {
      this.#finish(found, this.#at + 1);
    } else if (this.#depth < this.#base) {
      this.#finish(found, this.#at);
      this.#base = this.#depth === 0 ? 0 : PASSED_OVER;
    }
  }

  #finish(found: Piece[], end: number): void {
    if (this.#from < 0) return;
    found.push(this.#piece(this.#text.slice(this.#from, end)));
    this.#from = -1;
  }

  #piece(last: string): Piece {
    const text = this.#held + last;
    this.#held = '';
    const entry = this.#entries++;
    const isBeside = this.#base > 0 && this.#fromLine === this.#listLine;
    return { text, line: this.#fromLine, ...(isBeside && { entry }) };
  }
}
