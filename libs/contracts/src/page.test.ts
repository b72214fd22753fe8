import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { fromJsonBytes } from './json.ts';
import { pageAnswer } from './page.ts';
import { PageSchema } from './party.ts';

const written = (page: Parameters<typeof pageAnswer>[0]) => pageAnswer(page).parts.map((part) => {
  if (part instanceof Uint8Array) return part;
  const out = Buffer.alloc(part.length + 2, 0xff);
  part.writeTo(out, 1);
  expect([out[0], out.at(-1)]).toEqual([0xff, 0xff]);
  return out.subarray(1, -1);
});
const read = (page: Parameters<typeof pageAnswer>[0]) => {
  const { objectsJson, $typeName: _, ...rest } = fromBinary(PageSchema, Buffer.concat(written(page)));
  return { objects: objectsJson.map((bytes) => fromJsonBytes<unknown>(bytes)), ...rest };
};
const row = (value: unknown, position: bigint) => ({ text: JSON.stringify(value), position });

test('a page is written as party.proto says', () => {
  const objects = ['', 'Léon 🔌', 'x'.repeat(127), 'x'.repeat(20_000), { id: 'L1' }];
  const rows = objects.map((value, n) => row(value, 2n ** 40n + BigInt(n)));
  expect(read({ rows, total: 300_000, more: true })).toEqual({ objects, total: 300_000, more: true, position: 2n ** 40n + 4n });
  expect(read({ rows, total: 5, more: false })).toEqual({ objects, total: 5, more: false, position: 2n ** 40n + 4n });
  expect(read({ rows: [], total: 0, more: false })).toEqual({ objects: [], total: 0, more: false });
});

test('the parts of a page are short, unless an object is long', () => {
  const rows = Array.from({ length: 60 }, (_, n) => row('x'.repeat(n === 30 ? 90_000 : 3_000), BigInt(n)));
  const parts = written({ rows, total: 60, more: false });
  expect(parts.map((part) => fromBinary(PageSchema, part).objectsJson.length)).toEqual([5, 5, 5, 5, 5, 5, 1, 5, 5, 5, 5, 5, 4, 0]);
  expect(parts.filter(({ length }) => length > 16_000)).toHaveLength(1);
});

test('a page that one answer does not carry ends earlier, and says that more follow', () => {
  const large = row('x'.repeat(300_000), 1n);
  const rows = [large, { ...large, position: 2n }, { ...large, position: 3n }];
  expect(read({ rows, total: 3, more: false })).toMatchObject({ objects: [{}], total: 3, more: true, position: 1n });
  expect(read({ rows: [row('x'.repeat(600_000), 7n), large], total: 2, more: false })).toMatchObject({
    objects: [{}],
    more: true,
    position: 7n,
  });
});
