import { expect, test } from 'vitest';
import { Refused, Unanswered } from '#bus';
import { Rejected } from '#decider';
import { failureOf, refusals } from './refusals.ts';

test.each([
  ['unknown-session', 404, 2001],
  ['invalid-object', 200, 2001],
  ['cdr-differs-from-recorded', 200, 2001],
  ['unknown-token-to-authorize', 404, 2004],
  ['foreign-party', 404, 2001],
  ['foreign-object', 200, 2001],
  ['id-differs', 200, 2001],
  ['session-is-final', 200, 2001],
  ['not-capable', 404, 2001],
  ['not-json', 400, 2001],
  ['not-authorized', 401, 2001],
  ['already-registered', 405, 2000],
  ['partner-unreachable', 200, 3001],
  ['no-common-version', 200, 3002],
  ['endpoints-missing', 200, 3003],
] as const)('%s is HTTP %i with %i, whoever refuses', (code, http, status) => {
  for (const error of [new Rejected(code, 'why'), new Refused(code, 'why')]) {
    expect(failureOf(error)).toEqual({ answer: { http, status }, message: 'why', bug: false });
  }
});

test('TOK-07 that the place is needed is 2002, and a success of HTTP', () => {
  expect(failureOf(new Refused('location-needed', 'where?'))).toEqual({ answer: { http: 200, status: 2002 }, message: 'where?', bug: false });
});

test('no refusal of content is an HTTP error of the server', () => {
  expect(Object.values(refusals).filter(({ http }) => http >= 500)).toEqual([]);
});

test.each(['overloaded', 'too-late', 'unanswered'])('of a service that answers %s a partner hears that it may try again', (code) => {
  expect(failureOf(new Refused(code, 'inside'))).toEqual({
    answer: { http: 200, status: 3000 }, message: 'The request could not be processed now; try again later', bug: true,
  });
});

test('what no refusal names is 200 and 3000, without a word of what it was', () => {
  const inside = [new Error('SELECT secret'), new Refused('internal', 'x'), new Unanswered('offline', 'roamwatt.a.b'), 'thrown text'];
  for (const error of inside) {
    expect(failureOf(error)).toMatchObject({ answer: { http: 200, status: 3000 }, bug: true });
    expect(failureOf(error).message).not.toMatch(/secret|roamwatt|thrown/);
  }
});
