import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { EMPTY_CHAIN, leafOf, linkOf, macOf, nextRow, stateAfter } from './chain.ts';

test('leaf and link are SHA-256 with a prefix each, so that no entry passes for a link', () => {
  const sha = (...parts: Uint8Array[]) =>
    createHash('sha256').update(Buffer.concat(parts)).digest('hex');
  const leaf = leafOf('entry');
  expect(leaf.toString('hex')).toBe(sha(Uint8Array.of(0), Buffer.from('entry')));
  expect(linkOf(new Uint8Array(32), leaf).toString('hex')).toBe(
    sha(Uint8Array.of(1), new Uint8Array(32), leaf),
  );
});

test('what is private shows as a keyed hash only', () => {
  const salt = new Uint8Array(32).fill(7);
  expect(macOf(salt, 'uid')).toMatch(/^[0-9a-f]{64}$/);
  expect(macOf(salt, 'uid')).not.toBe(macOf(new Uint8Array(32), 'uid'));
});

test('each link follows from the one before', () => {
  const first = nextRow(EMPTY_CHAIN, { position: 7n, id: 'a', data: 'A' });
  const second = nextRow(stateAfter(first), { position: 9n, id: 'b', data: 'B' });
  expect(first).toMatchObject({ entry: 1, position: 7n, eventId: 'a', leaf: leafOf('A') });
  expect(second).toMatchObject({ entry: 2, link: linkOf(first.link, leafOf('B')) });
});
