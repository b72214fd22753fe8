import { expect, test } from 'vitest';
import { CardCache } from './card-cache.ts';

const shown = { stationId: 'S1', idTag: '04A2B3C4' };
const listed = { status: 'Accepted', authMethod: 'WHITELIST', token: '{}' };
const ownersYes = { status: 'Accepted', authMethod: 'AUTH_REQUEST', token: '{}', reference: 'REF-1' };
const invalid = { status: 'Invalid', authMethod: 'WHITELIST' };
const MINUTE = 60_000;

test('a decision holds for ten seconds at its station, whatever the case of the card', () => {
  const cards = new CardCache();
  cards.note(shown, listed, 0);
  expect(cards.fresh({ ...shown, idTag: '04a2b3c4' }, 10_000)).toBe(listed);
  expect(cards.fresh(shown, 10_001)).toBeUndefined();
  expect(cards.fresh({ ...shown, stationId: 'S2' }, 0)).toBeUndefined();
});

test("an owner's yes waits minutes for the charge it was given for, and is for one", () => {
  const cards = new CardCache();
  cards.note(shown, ownersYes, 0);
  expect(cards.fresh(shown, 4 * MINUTE)).toBeUndefined();
  expect(cards.forStart(shown, 4 * MINUTE)).toBe(ownersYes);
  expect(cards.forStart(shown, 4 * MINUTE)).toBeUndefined();
  cards.note(shown, ownersYes, 0);
  expect(cards.forStart(shown, 6 * MINUTE)).toBeUndefined();
});

test("nobody there to ask, a yes by list holds for a day at any station, and an owner's yes does not", () => {
  const cards = new CardCache();
  cards.note(shown, listed, 0);
  expect(cards.fallback({ ...shown, stationId: 'S2' }, 24 * 60 * MINUTE)).toBe(listed);
  expect(cards.fallback(shown, 24 * 60 * MINUTE + 1)).toBeUndefined();
  cards.note(shown, ownersYes, 0);
  expect(cards.fallback(shown, 0)).toBeUndefined();
  cards.note(shown, listed, 0);
  cards.note(shown, { status: 'Blocked', authMethod: 'WHITELIST' }, 1);
  expect(cards.fallback(shown, 1)).toBeUndefined();
});

test('100,000 unknown cards take a bounded place, and push out none that was let in by list', () => {
  const cards = new CardCache();
  cards.note(shown, listed, 0);
  for (let n = 0; n < 100_000; n++) cards.note({ stationId: 'S1', idTag: `UNKNOWN-${n}` }, invalid, n);
  expect(cards.size).toEqual({ shown: 20_000, listed: 1 });
  expect(cards.fallback(shown, 100_000)).toBe(listed);
  expect(cards.fresh({ stationId: 'S1', idTag: 'UNKNOWN-99999' }, 100_000)).toBe(invalid);
});
