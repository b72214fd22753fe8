import { expect, test } from 'vitest';
import { Refused, Unanswered } from '#bus';
import { problemOf } from './problem.ts';

const subject = 'roamwatt.oasis.ocpi-gateway.ask.list-partners.v1';

test.each([
  [new Unanswered('offline', subject), 503, 'offline', 'ocpi-gateway is not there to answer; nothing was done, try again'],
  [new Unanswered('offline', subject, true), 503, 'offline', 'there is no connection to the NATS server, so that ocpi-gateway cannot be asked; nothing was done, try again'],
  [new Unanswered('unknown', subject), 504, 'no-answer', 'ocpi-gateway did not answer in time; look before you try again'],
  [new Unanswered('unknown', subject, true), 504, 'no-answer', 'the connection to the NATS server was lost before ocpi-gateway answered; look before you try again'],
  [new Refused('unanswered', 'ocpi-gateway.list-partners: the database cannot be used now (no-connection)'), 503, 'unanswered', 'ocpi-gateway.list-partners: the database cannot be used now (no-connection)'],
  [new Refused('too-late', 'nothing was done'), 503, 'too-late', 'nothing was done'],
  [new Refused('internal', 'ocpi-gateway.list-partners failed'), 500, 'internal', 'a service behind the portal failed'],
])('%s is told as %i %s', (error, status, code, detail) => {
  expect(problemOf(error)).toMatchObject({ status, code, detail });
});

test('a hub has no service but the gateway: it says so, and not to try again', () => {
  const ofHub = (service: string) => problemOf(new Unanswered('offline', `roamwatt.hub.${service}.ask.list.v1`), { isHub: true });
  expect(ofHub('cdr-ledger')).toMatchObject({ status: 503, code: 'offline', detail: expect.stringMatching(/^a hub has no cdr-ledger: /), headers: {} });
  expect(ofHub('ocpi-gateway')?.detail).toContain('try again');
});
