import { expect, test } from 'vitest';
import { outcomeText } from './handshake.ts';

test.each([
  [{ kind: 'refused', http: 200, statusCode: 2001, message: 'no such currency' }, 'HTTP 200, 2001: no such currency'],
  [{ kind: 'refused', http: 302, message: 'redirects are not followed' }, 'HTTP 302, no OCPI status: redirects are not followed'],
  [{ kind: 'refused', http: 400, message: 'HTTP 400, and the response has no status_code' }, 'HTTP 400, and the response has no status_code'],
  [{ kind: 'refused', http: 500, statusCode: 1000, message: 'HTTP 500' }, 'HTTP 500, 1000: HTTP 500'],
  [{ kind: 'refused', http: 0, message: 'the URL may not be called' }, 'the URL may not be called'],
  [{ kind: 'unreachable', message: 'connect ECONNREFUSED' }, 'unreachable: connect ECONNREFUSED'],
])('what came of a request is said once: %j', (outcome, said) => {
  expect(outcomeText(outcome as Parameters<typeof outcomeText>[0])).toBe(said);
});
