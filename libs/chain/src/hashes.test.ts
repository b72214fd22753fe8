import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { leafOf, linkOf, macOf } from './hashes.ts';

test('leaf and link are SHA-256 with a prefix each, so that no entry passes for a link', () => {
  const sha = (...parts: Uint8Array[]) =>
    createHash('sha256').update(Buffer.concat(parts)).digest('hex');
  for (const entry of ['entry', 'größer als ASCII', 'x'.repeat(200_000)]) {
    const leaf = leafOf(entry);
    expect(leaf.toString('hex')).toBe(sha(Uint8Array.of(0), Buffer.from(entry)));
    expect(leafOf(Buffer.from(entry))).toEqual(leaf);
    expect(linkOf(new Uint8Array(32), leaf).toString('hex')).toBe(
      sha(Uint8Array.of(1), new Uint8Array(32), leaf),
    );
  }
});

test('what is private shows as an HMAC-SHA-256 only', () => {
  for (const text of ['', 'uid', '{"größe":1}', 'x'.repeat(200_000)]) {
    const salt = createHash('sha256').update(text).digest();
    const mac = createHmac('sha256', salt).update(text, 'utf8').digest('hex');
    expect(macOf(salt, text)).toBe(mac);
    expect(macOf(salt, Buffer.from(text))).toBe(mac);
  }
  expect(() => macOf(new Uint8Array(65), '')).toThrow(RangeError);
});
