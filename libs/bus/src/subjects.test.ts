import { expect, test } from 'vitest';
import {
  askSubject,
  holderSubject,
  kindOfSubject,
  slotOf,
  tellSubject,
  tellSubjects,
  token,
} from './subjects.ts';

test.each([
  ['CP-01_a', 'CP-01_a'],
  ['*', '%2A'],
  ['>', '%3E'],
  ['a.b', 'a%2Eb'],
  ['CA*BCT', 'CA%2ABCT'],
  ['100%', '100%25'],
  ['é', '%C3%A9'],
  [' ', '%20'],
])('the id %j is %s in a subject, and can be read back', (id, expected) => {
  expect(token(id)).toBe(expected);
  expect(decodeURIComponent(token(id))).toBe(id);
});

test('an empty id is refused', () => expect(() => token('')).toThrow('empty id'));

test.each([
  ['', 5],
  ['a', 44],
  ['foobar', 40],
])('the slot of %j is FNV-1a mod 64', (key, slot) => {
  // 811c9dc5, e40c292c and bf9cf968 in the list of test vectors that comes with FNV.
  expect(slotOf(key)).toBe(slot);
});

test('a station named like a wildcard is asked under its own subject', () => {
  const contract = { context: 'ocpp-gateway', verb: 'set-limit' } as const;
  expect(holderSubject('oasis', contract, '*')).toBe(
    'roamwatt.oasis.ocpp-gateway.ask.set-limit.v1.%2A',
  );
  expect(askSubject('oasis', contract)).toBe('roamwatt.oasis.ocpp-gateway.ask.set-limit.v1');
});

test("a stream takes its context's slots and none of its asks", () => {
  const subjects = tellSubjects('oasis', 'ocpp-gateway');
  const takes = (subject: string) => subjects.some((each) => subject.startsWith(each.slice(0, -1)));
  expect(takes(tellSubject('oasis', 'ocpp-gateway', 63, 'station.connected.v1'))).toBe(true);
  expect(takes(holderSubject('oasis', { context: 'ocpp-gateway', verb: 'set-limit' }, 'v1'))).toBe(
    false,
  );
  expect(takes(tellSubject('oasis', 'ocpi-gateway', 6, 'station.connected.v1'))).toBe(false);
});

test('a told subject gives its kind', () => {
  expect(kindOfSubject(tellSubject('oasis', 'sessions', 7, 'session.ended.v1'))).toBe(
    'session.ended.v1',
  );
  expect(kindOfSubject('roamwatt.oasis.sessions.ask.x.v1')).toBeUndefined();
});
