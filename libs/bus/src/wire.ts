import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';

/*
 * proto/roamwatt/bus/v1/bus.proto, framed by hand: payloads are views into the message that
 * arrived, and nothing is built only to be taken apart again. A test holds this against the proto
 * file.
 */

export interface AskItem {
  readonly request: Uint8Array;
  readonly commandId: string;
}

export type AnswerItem =
  | { readonly answer: Uint8Array }
  | { readonly refusal: { readonly code: string; readonly detail: string } };

export interface AnswerBatch {
  /** The item that the first answer belongs to. */
  readonly first: number;
  readonly items: readonly AnswerItem[];
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

  field(tag: number, payload: Uint8Array): this {
    this.head(tag, payload.length).out.set(payload, this.at);
    this.at += payload.length;
    return this;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}

/** Of a field with a tag of one byte. */
const fieldSize = (length: number) => 1 + varintSize(length) + length;

export function writeAskBatch(items: readonly AskItem[]): Uint8Array {
  const parts = items.map(({ request, commandId }) => {
    const id = commandId === '' ? undefined : Buffer.from(commandId);
    return { request, id, size: fieldSize(request.length) + (id ? fieldSize(id.length) : 0) };
  });
  const out = new Frame(parts.reduce((sum, { size }) => sum + fieldSize(size), 0));
  for (const { request, id, size } of parts) {
    out.head(bytes(1), size).field(bytes(1), request);
    if (id) out.field(bytes(2), id);
  }
  return out.out;
}

export function readAskBatch(data: Uint8Array): AskItem[] {
  const items: AskItem[] = [];
  eachField(data, (field, reader) => {
    if (field !== 1) return false;
    const item: { request: Uint8Array; commandId: string } = { request: NOTHING, commandId: '' };
    eachField(reader.bytes(), (inner, at) => {
      if (inner === 1) item.request = at.bytes();
      else if (inner === 2) item.commandId = at.string();
      else return false;
      return true;
    });
    items.push(item);
    return true;
  });
  return items;
}

export function writeAnswerBatch({ first, items }: AnswerBatch): Uint8Array {
  const parts = items.map((item) =>
    'answer' in item
      ? { tag: bytes(1), payload: item.answer }
      : { tag: bytes(2), payload: writeRefusal(item.refusal) });
  const size = parts.reduce((sum, { payload }) => sum + fieldSize(fieldSize(payload.length)), 0);
  const out = new Frame(size + (first > 0 ? 1 + varintSize(first) : 0));
  if (first > 0) out.head(varint(1), first);
  for (const { tag, payload } of parts) {
    out.head(bytes(2), fieldSize(payload.length)).field(tag, payload);
  }
  return out.out;
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
  eachField(data, (field, reader) => {
    if (field === 1) item = { answer: reader.bytes() };
    else if (field === 2) item = { refusal: readRefusal(reader.bytes()) };
    else return false;
    return true;
  });
  return item;
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
