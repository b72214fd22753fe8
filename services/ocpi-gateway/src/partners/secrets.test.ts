import { expect, test } from 'vitest';
import type { Settings } from '#settings';
import { secretsOf } from './secrets.ts';

const withSecret = (byte: number) => secretsOf({ key: (purpose: string) => Buffer.alloc(32, purpose.length + byte) } as Settings);
const secrets = withSecret(1);

test('CRE-09 a new token is random and made of characters that OCPI allows', () => {
  const [one, other] = [secrets.newToken(), secrets.newToken()];
  expect(one).toMatch(/^[\x21-\x7e]{43}$/);
  expect(one).not.toBe(other);
});

test('a token we present is opened for its partner only, with the key it was sealed with', () => {
  const sealed = secrets.seal('their-token', 'partner-1');
  expect(secrets.open(sealed, 'partner-1')).toBe('their-token');
  expect(sealed.includes('their-token')).toBe(false);
  expect(() => secrets.open(sealed, 'partner-2')).toThrow();
  expect(() => withSecret(2).open(sealed, 'partner-1')).toThrow();
});

test('a token that is presented is known by its hash, which only this platform can make', () => {
  expect(secrets.hash('t')).toEqual(secrets.hash('t'));
  expect(secrets.hash('t')).not.toEqual(withSecret(2).hash('t'));
  expect(secrets.hash('u')).not.toEqual(secrets.hash('t'));
  expect(secrets.hash('t')).toEqual(withSecret(1).hash('t'));
});
