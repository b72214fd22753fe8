import { expect, test } from 'vitest';
import { routes } from '#ocpi';
import { Admission, isUrgent } from './admission.ts';

const route = (module: string, method: string) =>
  routes.find((one) => one.module === module && one.method === method && one.role === 'SENDER')!;

test('TRN-05 a stranger who tries 100,000 tokens is soon not looked up any more; who was let in before is', () => {
  const rate = { perSecond: 0.01, burst: 200 };
  const admission = new Admission({ rate_limit: rate, unknown_rate_limit: rate });
  const [list, authorize] = [route('locations', 'GET'), route('tokens', 'POST')];
  expect(admission.known(list, { partnerId: 'MTL', address: '192.0.2.9', authorization: 'Token known' })).toBe(0);
  let lookedUp = 0;
  for (let n = 0; n < 100_000; n += 1) {
    if (admission.beforeLookUp(list, '192.0.2.7', `Token ${n}`) > 0) continue;
    lookedUp += 1;
    admission.refused(list, '192.0.2.7', `Token ${n}`);
  }
  expect(lookedUp).toBe(200);
  expect(admission.beforeLookUp(list, '192.0.2.7', 'Token known')).toBe(0);
  expect(admission.beforeLookUp(authorize, '192.0.2.7', 'Token 1'), 'a driver waits').toBe(0);
  expect(admission.beforeLookUp(list, '192.0.2.8', 'Token 1')).toBe(0);
});

test('TRN-05 of strangers who come at the same time no more are looked up than one after the other; who turns out to be known does not count', () => {
  const rate = { perSecond: 0.01, burst: 5 };
  const admission = new Admission({ rate_limit: rate, unknown_rate_limit: rate });
  const list = route('locations', 'GET');
  const atOnce = Array.from({ length: 20 }, (_, n) => `Token ${n}`);
  const lookedUp = atOnce.filter((token) => admission.beforeLookUp(list, '192.0.2.7', token) === 0);
  expect(lookedUp).toHaveLength(5);
  expect(admission.known(list, { partnerId: 'MTL', address: '192.0.2.7', authorization: lookedUp[0] })).toBe(0);
  for (const token of lookedUp.slice(1)) admission.refused(list, '192.0.2.7', token);
  const next = atOnce.slice(10).filter((token) => admission.beforeLookUp(list, '192.0.2.7', token) === 0);
  expect(next).toHaveLength(1);
});

test('TRN-05 a token whose link has ended is counted as a stranger\'s from its first refusal on', () => {
  const rate = { perSecond: 0.01, burst: 5 };
  const admission = new Admission({ rate_limit: rate, unknown_rate_limit: rate });
  const list = route('locations', 'GET');
  expect(admission.known(list, { partnerId: 'MTL', address: '192.0.2.7', authorization: 'Token ended' })).toBe(0);
  let lookedUp = 0;
  for (let n = 0; n < 20; n += 1) {
    if (admission.beforeLookUp(list, '192.0.2.7', 'Token ended') > 0) continue;
    lookedUp += 1;
    admission.refused(list, '192.0.2.7', 'Token ended');
  }
  expect(lookedUp).toBe(5);
});

test('never held up are authorize, commands, their results and the POST of a CDR', () => {
  const urgent = routes.filter(isUrgent).map(({ role, module, method, path }) => `${role} ${module} ${method} ${path}`);
  expect(urgent.filter((one) => !/ (commands|chargingprofiles) /.test(one))).toEqual([
    'RECEIVER cdrs POST ', 'SENDER tokens POST /:token_uid/authorize',
  ]);
  expect(urgent).toContain('SENDER commands POST /:command/:exchange');
  expect(urgent).toContain('RECEIVER commands POST /START_SESSION');
});
