import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { LIST_BYTES, WrittenAnswer } from '#bus';
import { PageSchema } from './gen/roamwatt/party/v1/party_pb.ts';

const OBJECT_TAG = tagOf(PageSchema.field.objectsJson.number, WireType.LengthDelimited);

/**
 * A page of rows as one answer carries it: with those that it leaves out the next page begins. It is written
 * here, into as many bytes as it takes: a page is large, and each copy of it is paid for.
 */
export function pageAnswer({ rows, total, more }: {
  readonly rows: readonly { readonly text: string; readonly position: bigint }[];
  readonly total: number;
  readonly more: boolean;
}): WrittenAnswer {
  const sizes: number[] = [];
  let bytes = 0;
  for (const { text } of rows) {
    const size = Buffer.byteLength(text);
    bytes += size;
    if (sizes.length > 0 && bytes > LIST_BYTES) break;
    sizes.push(size);
  }
  const rest = restOf({ total, more: more || sizes.length < rows.length, position: rows[sizes.length - 1]?.position });
  const out = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 1 + varintSize(size) + size, rest.length));
  let at = 0;
  for (const [index, size] of sizes.entries()) {
    out[at] = OBJECT_TAG;
    at = writeVarint(out, size, at + 1);
    at += out.write(rows[index]!.text, at);
  }
  out.set(rest, at);
  return new WrittenAnswer(out);
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
