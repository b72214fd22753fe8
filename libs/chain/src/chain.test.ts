import { expect, test } from 'vitest';
import { EMPTY_CHAIN, nextRow, stateAfter } from './chain.ts';
import { leafOf, linkOf } from './hashes.ts';

test('each link follows from the one before', () => {
  const first = nextRow(EMPTY_CHAIN, { position: 7n, id: 'a', data: 'A' });
  const second = nextRow(stateAfter(first), { position: 9n, id: 'b', data: 'B' });
  expect(first).toMatchObject({ entry: 1, position: 7n, eventId: 'a', leaf: leafOf('A') });
  expect(second).toMatchObject({ entry: 2, link: linkOf(first.link, leafOf('B')) });
});
