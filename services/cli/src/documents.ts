import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { parseExact } from './exact-json.ts';
import { JsonPieces, type Piece } from './json-pieces.ts';
import { RefusedInput } from './verb.ts';

/** One JSON object of an input. */
export interface Document {
  /** "cdrs.jsonl:17", to be found by people and editors; "cdrs.json:1[3]" of a list that is one line. */
  readonly at: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** What could not be read, and where. */
export interface Unread {
  readonly at: string;
  readonly why: string;
}

export type Read = Document | Unread;

/** JSON text as its value. Throws SyntaxError. */
export type Parse = (text: string) => unknown;

/** Told how many bytes were read since the last time. */
export type Progressed = (bytes: number) => void;

/** A single value that is larger than this is refused: memory stays flat whatever comes. */
const CHARACTERS_MAX = 64 << 20;
const CHUNK_BYTES = 1 << 18;
/** How what gzip packed begins, read as UTF-8. */
const GZIP = '\u001f\ufffd';
const PACKED = 'it is packed by gzip. Unpack it on the way: zcat FILE | npx roamwatt VERB -';
/** So much is looked at to tell JSON Lines from other JSON. */
const LOOKED_AT = 1 << 20;

/**
 * The objects of a file, or of stdin for "-", in batches as they are read: one object, a list, an
 * OCPI envelope `{"data": …}`, a page of the portal `{"objects": …}`, values one after the other, or JSON Lines. In JSON Lines a broken line
 * does not touch the others.
 */
export async function* documents(
  file: string,
  stdin: AsyncIterable<Uint8Array>,
  progressed: Progressed = () => {},
  parse: Parse = parseExact,
): AsyncGenerator<Read[]> {
  const name = file === '-' ? '(stdin)' : file;
  let cutter: Lines | Values | undefined;
  let head = '';
  let any = false;
  try {
    for await (const text of textOf(file === '-' ? stdin : fileChunks(file), progressed)) {
      head = cutter ? text : head + text;
      if (!cutter && head.startsWith(GZIP)) return yield [{ at: name, why: PACKED }];
      cutter ??= cutterFor(file, head, false);
      if (!cutter) continue;
      const pieces = cutter.push(head);
      if (!any && isForeign(cutter, pieces)) return yield [foreign(pieces[0]!, name)];
      const batch = readAll(pieces, name, parse);
      any ||= batch.length > 0;
      if (batch.length > 0) yield batch;
    }
    const rest = cutter ?? cutterFor(file, head, true)!;
    const pieces = [...(cutter ? [] : rest.push(head)), ...rest.end()];
    if (!any && isForeign(rest, pieces)) return yield [foreign(pieces[0]!, name)];
    const batch = readAll(pieces, name, parse);
    any ||= batch.length > 0;
    if (batch.length > 0) yield batch;
    if (!any) yield [{ at: name, why: 'there is no object in it. Give a file of OCPI objects' }];
  } catch (error) {
    yield [{ at: name, why: unreadable(error as NodeJS.ErrnoException) }];
  }
}

/** All objects of a few small files at once, such as tariffs. Throws RefusedInput. */
export async function documentsOf(
  files: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
): Promise<Document[]> {
  const found: Document[] = [];
  for (const file of files) {
    for await (const batch of documents(file, stdin)) {
      for (const one of batch) {
        if ('why' in one) throw new RefusedInput(`${one.at}: ${one.why}.`);
        found.push(one);
      }
    }
  }
  return found;
}

async function* fileChunks(file: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>;
}

async function* textOf(
  chunks: AsyncIterable<Uint8Array>,
  progressed: Progressed,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of chunks) {
    progressed(chunk.byteLength);
    decoder ??= new TextDecoder(encodingOf(chunk));
    yield decoder.decode(chunk, { stream: true });
  }
  if (decoder) yield decoder.decode();
}

/** JSON is UTF-8; what Windows' shells write into files is UTF-16, with a mark or a bracket before all. */
function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff || second === 0) return 'utf-16le';
  return first === 0xfe || first === 0 ? 'utf-16be' : 'utf-8';
}

/** JSON Lines or values? Undefined = more has to be seen. */
function cutterFor(file: string, head: string, isAll: boolean): Lines | Values | undefined {
  if (/\.(jsonl|ndjson)$/i.test(file)) return new Lines();
  const [first, second] = firstLines(head);
  if (second === undefined && !isAll && head.length < LOOKED_AT) return undefined;
  return second !== undefined && areLines(first!, second) ? new Lines() : new Values();
}

/** The first two lines that are not blank; the second may be the beginning of one. */
function firstLines(text: string): string[] {
  const found: string[] = [];
  for (let from = 0; from < text.length && found.length < 2;) {
    const end = text.indexOf('\n', from);
    const line = text.slice(from, end < 0 ? text.length : end).trim();
    if (line !== '') found.push(line);
    if (end < 0) break;
    from = end + 1;
  }
  return found;
}

function areLines(first: string, second: string): boolean {
  if (isJson(first)) return true;
  // A broken first line, and then an object on a line of its own.
  return /^[{[]/.test(second) && !/[[{,:]$/.test(first);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** One value a line. */
class Lines {
  #rest = '';
  #line = 0;

  push(text: string): Piece[] {
    const found: Piece[] = [];
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#line++;
      this.#add(found, this.#rest + text.slice(from, end));
      this.#rest = '';
      from = end + 1;
    }
    this.#rest += text.slice(from);
    if (this.#rest.length > CHARACTERS_MAX) throw new RangeError('a line is longer than 64 MB');
    return found;
  }

  end(): Piece[] {
    const found: Piece[] = [];
    this.#line++;
    this.#add(found, this.#rest);
    return found;
  }

  #add(found: Piece[], text: string): void {
    if (text.trim() !== '') found.push({ text, line: this.#line });
  }
}

/** Values over as many lines as they like. */
class Values {
  readonly #pieces = new JsonPieces();

  push(text: string): Piece[] {
    const found = this.#pieces.push(text);
    if (this.#pieces.held > CHARACTERS_MAX) throw new RangeError('a value is larger than 64 MB');
    return found;
  }

  end(): Piece[] {
    return this.#pieces.end();
  }
}

/** A text, a picture, a document: what begins with no JSON and is not JSON Lines has none further on. */
function isForeign(cutter: Lines | Values, [first]: readonly Piece[]): boolean {
  return cutter instanceof Values && first !== undefined && !/^\uFEFF?[[{]/.test(first.text) && !isJson(first.text);
}

function foreign({ text, line }: Piece, name: string): Unread {
  const beginning = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 40);
  return {
    at: `${name}:${line}`,
    why: `this is no JSON: it begins with ${beginning}, and nothing else of it is read. Give a file of OCPI objects`,
  };
}

function readAll(pieces: readonly Piece[], name: string, parse: Parse): Read[] {
  const found: Read[] = [];
  for (const { text, line, entry } of pieces) {
    const at = `${name}:${line}${entry === undefined ? '' : `[${entry}]`}`;
    try {
      unwrap(parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text), at, found);
    } catch (error) {
      const values = valuesOn(text, parse);
      if (values) {
        for (const value of values) unwrap(value, at, found);
        continue;
      }
      // The parser has no words of its own for what is nested tens of thousands deep.
      const why = error instanceof RangeError ? 'it is nested too deeply' : (error as Error).message;
      found.push({ at, why: `this is no JSON: ${why}` });
    }
  }
  return found;
}

/** Several values on one line of many, where each of them is whole: `cat` makes such of files that end without a line's end. */
function valuesOn(line: string, parse: Parse): unknown[] | undefined {
  const pieces = new JsonPieces();
  const values = [...pieces.push(line), ...pieces.end()];
  try {
    return values.length > 1 ? values.map(({ text }) => parse(text)) : undefined;
  } catch {
    return undefined;
  }
}

/** What an envelope or a list holds. */
function unwrap(value: unknown, at: string, found: Read[]): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) unwrap(value[i], `${at}[${i}]`, found);
  } else if (typeof value !== 'object' || value === null) {
    found.push({ at, why: `an OCPI object expected, not ${JSON.stringify(value)?.slice(0, 40)}` });
  } else {
    const held = heldBy(value as Document['value']);
    if (held === undefined) found.push({ at, value: value as Document['value'] });
    else unwrap(held, at, found);
  }
}

/** What OCPI's envelope holds, or an answer of the portal: a page of objects, one of tariffs, or a tariff with its version. */
function heldBy(value: Document['value']): object | undefined {
  const held = [value.data, value.objects].find((one) => typeof one === 'object' && one !== null);
  if (held) return held;
  if (Array.isArray(value.tariffs) && value.total !== undefined) return value.tariffs;
  return value.version !== undefined && typeof value.tariff === 'object' && value.tariff !== null ? value.tariff : undefined;
}

/** Why a file is not read, and what to do. */
export function unreadable(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'there is no such file. Check its path';
  if (error.code === 'EISDIR') return 'this is a folder. Name the files in it';
  if (error.code === 'EACCES') return 'it may not be read. Check who may read it';
  return `it cannot be read: ${error.message}`;
}
