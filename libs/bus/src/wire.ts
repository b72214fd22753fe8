import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';

/*
 * proto/roamwatt/bus/v1/bus.proto, framed by hand: payloads are views into the message that
 * arrived, and nothing is built only to be taken apart again. A test holds this against the proto
 * file.
 */

export interface AskItem {
  readonly request: Uint8Array;
  readonly commandId: string;
  /** For so long its asker waits; 0 where that is not said. */
  readonly patienceMs?: number;
}

export interface AskBatch {
  readonly items: readonly AskItem[];
  /** Whether an answer may come in parts. */
  readonly parts: boolean;
}

/** Bytes that are written only where they are sent from. */
export interface Written {
  readonly length: number;
  writeTo(out: Buffer, at: number): void;
}

export type AnswerItem<Bytes = Uint8Array> =
  | { readonly answer: Bytes; readonly part?: number; readonly more?: boolean }
  | { readonly refusal: { readonly code: string; readonly detail: string } };

export interface AnswerBatch<Bytes = Uint8Array> {
  /** The item that the first answer belongs to. */
  readonly first: number;
  readonly items: readonly AnswerItem<Bytes>[];
}

export interface ToldAgain {
  readonly facts: readonly WireFact[];
  /** How far the log was read. */
  readonly position: bigint;
  readonly end: boolean;
}

export interface WireFact {
  readonly position: bigint;
  readonly id: string;
  readonly key: string;
  /** thing.happened.v1 */
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly trace: string;
  /** RFC 3339 UTC. */
  readonly at: string;
}

const bytes = (field: number) => (field << 3) | 2;
const varint = (field: number) => field << 3;

/** Written front to back into as many bytes as it takes: nothing grows, nothing is copied twice. */
class Frame {
  readonly out: Buffer;
  private at = 0;

  constructor(size: number) {
    this.out = Buffer.allocUnsafe(size);
  }

  head(tag: number, length: number): this {
    return this.varint(tag).varint(length);
  }

  varint(value: number): this {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.out[this.at++] = (rest & 0x7f) | 0x80;
    this.out[this.at++] = rest;
    return this;
  }

  /** 0 is not written. */
  number(field: number, value: number): this {
    return value > 0 ? this.head(varint(field), value) : this;
  }

  field(tag: number, payload: Uint8Array | Written): this {
    put(payload, this.head(tag, payload.length).out, this.at);
    this.at += payload.length;
    return this;
  }
}

function put(payload: Uint8Array | Written, out: Buffer, at: number): void {
  if ('writeTo' in payload) payload.writeTo(out, at);
  else out.set(payload, at);
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}

/** Of a field with a tag of one byte. */
const fieldSize = (length: number) => 1 + varintSize(length) + length;
const numberSize = (value: number) => (value > 0 ? 1 + varintSize(value) : 0);

export function writeAskBatch({ items, parts }: AskBatch): Uint8Array {
  const framed = items.map(({ request, commandId, patienceMs = 0 }) => {
    const id = commandId === '' ? undefined : Buffer.from(commandId);
    const size = fieldSize(request.length) + (id ? fieldSize(id.length) : 0) + numberSize(patienceMs);
    return { request, id, patienceMs, size };
  });
  const out = new Frame(framed.reduce((sum, { size }) => sum + fieldSize(size), numberSize(Number(parts))));
  for (const { request, id, patienceMs, size } of framed) {
    out.head(bytes(1), size).field(bytes(1), request);
    if (id) out.field(bytes(2), id);
    out.number(3, patienceMs);
  }
  return out.number(2, Number(parts)).out;
}

export function readAskBatch(data: Uint8Array): AskBatch {
  const items: AskItem[] = [];
  let parts = false;
  eachField(data, (field, reader) => {
    if (field === 2) parts = reader.bool();
    if (field !== 1) return field === 2;
    const item = { request: NOTHING, commandId: '', patienceMs: 0 };
    eachField(reader.bytes(), (inner, at) => {
      if (inner === 1) item.request = at.bytes();
      else if (inner === 2) item.commandId = at.string();
      else if (inner === 3) item.patienceMs = at.uint32();
      else return false;
      return true;
    });
    items.push(item);
    return true;
  });
  return { items, parts };
}

export function writeAnswerBatch({ first, items }: AnswerBatch<Uint8Array | Written>): Uint8Array {
  const framed = items.map((item) => {
    const [tag, payload, part, more] = 'answer' in item
      ? [bytes(1), item.answer, item.part ?? 0, Number(item.more ?? false)]
      : [bytes(2), writeRefusal(item.refusal), 0, 0];
    return { tag, payload, part, more, size: fieldSize(payload.length) + numberSize(part) + numberSize(more) };
  });
  const out = new Frame(framed.reduce((sum, { size }) => sum + fieldSize(size), numberSize(first)));
  out.number(1, first);
  for (const { tag, payload, part, more, size } of framed) {
    out.head(bytes(2), size).field(tag, payload).number(3, part).number(4, more);
  }
  return out.out;
}

/** Messages one after the other are the message that they are merged into. */
export function whole(parts: readonly (Uint8Array | Written)[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first instanceof Uint8Array) return first;
  const out = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    put(part, out, at);
    at += part.length;
  }
  return out;
}

function writeRefusal({ code, detail }: { code: string; detail: string }): Uint8Array {
  return new BinaryWriter()
    .uint32(bytes(1)).string(code).uint32(bytes(2)).string(detail).finish();
}

export function readAnswerBatch(data: Uint8Array): AnswerBatch {
  let first = 0;
  const items: AnswerItem[] = [];
  eachField(data, (field, reader) => {
    if (field === 1) first = reader.uint32();
    else if (field === 2) items.push(readAnswerItem(reader.bytes()));
    else return false;
    return true;
  });
  return { first, items };
}

function readAnswerItem(data: Uint8Array): AnswerItem {
  let item: AnswerItem = {
    refusal: { code: 'internal', detail: 'an answer of a kind that this side does not know' },
  };
  let [part, more] = [0, false];
  eachField(data, (field, reader) => {
    if (field === 1) item = { answer: reader.bytes() };
    else if (field === 2) item = { refusal: readRefusal(reader.bytes()) };
    else if (field === 3) part = reader.uint32();
    else if (field === 4) more = reader.bool();
    else return false;
    return true;
  });
  return part > 0 || more ? { ...item, part, more } : item;
}

function readRefusal(data: Uint8Array): { code: string; detail: string } {
  const refusal = { code: '', detail: '' };
  eachField(data, (field, reader) => {
    if (field === 1) refusal.code = reader.string();
    else if (field === 2) refusal.detail = reader.string();
    else return false;
    return true;
  });
  return refusal;
}

export function writeTellAgain(after: bigint, slots: readonly number[]): Uint8Array {
  const out = new BinaryWriter().uint32(varint(1)).uint64(after);
  if (slots.length > 0) {
    out.uint32(bytes(2)).fork();
    for (const slot of slots) out.uint32(slot);
    out.join();
  }
  return out.finish();
}

export function readTellAgain(data: Uint8Array): { after: bigint; slots: number[] } {
  let after = 0n;
  const slots: number[] = [];
  eachField(data, (field, reader) => {
    if (field === 1) after = BigInt(reader.uint64());
    else if (field === 2) {
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) slots.push(packed.uint32());
    } else return false;
    return true;
  });
  return { after, slots };
}

export function writeToldAgain({ facts, position, end }: ToldAgain): Uint8Array {
  const out = new BinaryWriter();
  for (const fact of facts) {
    out.uint32(bytes(1)).fork();
    out.uint32(varint(1)).uint64(fact.position).uint32(bytes(2)).string(fact.id);
    out.uint32(bytes(3)).string(fact.key).uint32(bytes(4)).string(fact.kind);
    out
      .uint32(bytes(5))
      .bytes(fact.bytes)
      .uint32(bytes(6))
      .string(fact.trace)
      .uint32(bytes(7))
      .string(fact.at);
    out.join();
  }
  return out.uint32(varint(2)).uint64(position).uint32(varint(3)).bool(end).finish();
}

export function readToldAgain(data: Uint8Array): ToldAgain {
  const facts: WireFact[] = [];
  let position = 0n;
  let end = false;
  eachField(data, (field, reader) => {
    if (field === 1) facts.push(readToldFact(reader.bytes()));
    else if (field === 2) position = BigInt(reader.uint64());
    else if (field === 3) end = reader.bool();
    else return false;
    return true;
  });
  return { facts, position, end };
}

function readToldFact(data: Uint8Array): WireFact {
  const fact = { position: 0n, id: '', key: '', kind: '', bytes: NOTHING, trace: '', at: '' };
  eachField(data, (field, reader) => {
    if (field === 1) fact.position = BigInt(reader.uint64());
    else if (field === 2) fact.id = reader.string();
    else if (field === 3) fact.key = reader.string();
    else if (field === 4) fact.kind = reader.string();
    else if (field === 5) fact.bytes = reader.bytes();
    else if (field === 6) fact.trace = reader.string();
    else if (field === 7) fact.at = reader.string();
    else return false;
    return true;
  });
  return fact;
}

const NOTHING: Uint8Array = new Uint8Array();

/** `take` reads the field's value, or returns false to have it skipped. Throws on broken bytes. */
function eachField(data: Uint8Array, take: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(data);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (!take(field, reader)) reader.skip(type, field);
  }
}
