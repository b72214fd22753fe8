import { expect, test } from 'vitest';
import { masked } from './mask.ts';

test('a value under a secret name is masked at any depth, in any case of the name', () => {
  const card = { uid: 'g', idTag: 'h', token_uid: 'i' };
  const door = { token: 'a', token_b: 'b', accessToken: 'c', Authorization: 'd', clientSecret: 'f' };
  const copy = masked({ ...door, nested: [{ card, cdr_token: { uid: 'j' }, password: 1 }] });
  expect(copy).toEqual({
    token: '***', token_b: '***', accessToken: '***', Authorization: '***', clientSecret: '***',
    nested: [{ card: { uid: '***', idTag: '***', token_uid: '***' }, cdr_token: '***', password: '***' }],
  });
});

test('names that only look secret stay readable', () => {
  const fields = { evse_uid: 'E1', authorized: 'x', tokens: 3, tokenKnown: true, secret: undefined };
  expect(masked(fields)).toEqual(fields);
});

test('an error keeps its stack and its cause', () => {
  const error = new Error('no answer', { cause: new TypeError('closed') });
  const copy = masked({ error }) as { error: { message: string; stack: string; cause: { name: string } } };
  expect(copy.error.message).toBe('no answer');
  expect(copy.error.stack).toContain('mask.test.ts');
  expect(copy.error.cause.name).toBe('TypeError');
});

test('what JSON cannot carry becomes text, and what never ends ends', () => {
  const loop: Record<string, unknown> = { energyWh: 12n, bytes: new Uint8Array(3), long: 'x'.repeat(3_000) };
  for (let i = 0; i < 200; i += 1) loop[`self${i}`] = loop;
  const text = JSON.stringify(masked(loop));
  expect(text).toContain('"energyWh":"12"');
  expect(text).toContain('3 bytes');
  expect(text.length).toBeLessThan(100_000);
});
