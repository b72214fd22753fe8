import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hashPassword, passwordFits, weighedBy } from './password.ts';

test('a password fits its own hash alone, and two hashes of one differ', async () => {
  const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
  expect(one).not.toBe(two);
  expect(await passwordFits('correct horse', one)).toBe(true);
  expect(await passwordFits('correct horsf', one)).toBe(false);
  expect(await passwordFits('', one)).toBe(false);
});

test('no password fits where no driver has the e-mail', async () => {
  expect(await passwordFits('correct horse', undefined)).toBe(false);
});

test('a password is weighed as heavily where no driver has the e-mail', async () => {
  const [nobodys, ones] = [undefined, await hashPassword('correct horse')].map(weighedBy);
  expect(nobodys!.cost).toEqual(ones!.cost);
  expect([nobodys!.salt.length, nobodys!.hash.length]).toEqual([ones!.salt.length, ones!.hash.length]);
});

test('a password typed in composed or decomposed letters is the same', async () => {
  expect(await passwordFits('cafe\u0301', await hashPassword('caf\u00e9'))).toBe(true);
});

test('many passwords at once, as at a first start, leave threads for what connections to PostgreSQL hash', async () => {
  let hashed = 0;
  const many = Array.from({ length: 8 }, async () => {
    await hashPassword('correct horse');
    hashed += 1;
  });
  await promisify(pbkdf2)('secret', 'salt', 1, 32, 'sha256');
  expect(hashed).toBeLessThan(4);
  await Promise.all(many);
});
