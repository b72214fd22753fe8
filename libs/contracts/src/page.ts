import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { LIST_BYTES, WrittenAnswer } from '#bus';
import { PageSchema } from './gen/roamwatt/party/v1/party_pb.ts';

const OBJECT_TAG = tagOf(PageSchema.field.objectsJson.number, WireType.LengthDelimited);

/** A message that arrives in one read of 64 kB is not copied: of parts of this size most are. */
const PART_BYTES = 16_000;

/**
 * A page of rows as one answer carries it: with those that it leaves out the next page begins. In parts, each
 * written where it is sent from: a page is large, and each copy of it is paid for.
 */
export function pageAnswer({ rows, total, more }: {
  readonly rows: readonly { readonly text: string; readonly position: bigint }[];
  readonly total: number;
  readonly more: boolean;
}): WrittenAnswer {
  const objects: Sized[] = [];
  let bytes = 0;
  for (const { text } of rows) {
    const size = Buffer.byteLength(text);
    bytes += size;
    if (objects.length > 0 && bytes > LIST_BYTES) break;
    objects.push({ text, size });
  }
  const rest = restOf({ total, more: more || objects.length < rows.length, position: rows[objects.length - 1]?.position });
  return new WrittenAnswer([...inParts(objects), rest]);
}

interface Sized {
  readonly text: string;
  /** In bytes. */
  readonly size: number;
}

/** Objects of a page, and nothing else of it. */
class Part {
  length = 0;
  private readonly objects: Sized[] = [];

  add(object: Sized): void {
    this.objects.push(object);
    this.length += 1 + varintSize(object.size) + object.size;
  }

  writeTo(out: Buffer, from: number): void {
    let at = from;
    for (const { text, size } of this.objects) {
      out[at] = OBJECT_TAG;
      at = writeVarint(out, size, at + 1);
      at += out.write(text, at);
    }
  }
}

function inParts(objects: readonly Sized[]): Part[] {
  const parts: Part[] = [];
  for (const object of objects) {
    const last = parts.at(-1);
    const part = last && last.length + object.size <= PART_BYTES ? last : new Part();
    if (part !== last) parts.push(part);
    part.add(object);
  }
  return parts;
}

function restOf({ total, more, position }: { total: number; more: boolean; position: bigint | undefined }): Uint8Array {
  const { field } = PageSchema;
  const out = new BinaryWriter();
  out.tag(field.total.number, WireType.Varint).uint32(total);
  if (position !== undefined) out.tag(field.position.number, WireType.Varint).uint64(position);
  out.tag(field.more.number, WireType.Varint).bool(more);
  return out.finish();
}

function tagOf(field: number, type: WireType): number {
  return (field << 3) | type;
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

function writeVarint(out: Buffer, value: number, at: number): number {
  let [rest, next] = [value, at];
  for (; rest > 0x7f; rest >>>= 7) next = out.writeUInt8((rest & 0x7f) | 0x80, next);
  return out.writeUInt8(rest, next);
}
