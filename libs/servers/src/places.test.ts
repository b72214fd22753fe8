import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkoutRoot, openPlaceFor } from './places.ts';

test('a place for others can be entered but not listed, and goes with what it belongs to', () => {
  const [one, two] = ['one', 'two'].map((name) => mkdtempSync(join(tmpdir(), `roamwatt-${name}-`)));
  const first = openPlaceFor(one ?? '');
  expect(statSync(first).mode & 0o777).toBe(0o711);
  expect(openPlaceFor(one ?? '')).toBe(first);
  expect(openPlaceFor(one ?? '', 'another version')).not.toBe(first);

  rmSync(one ?? '', { recursive: true });
  const second = openPlaceFor(two ?? '');
  expect(existsSync(first)).toBe(false);
  expect(existsSync(second)).toBe(true);
  rmSync(two ?? '', { recursive: true });
  rmSync(second, { recursive: true });
});

test('the checkout is found from anywhere inside', () => {
  expect(existsSync(join(checkoutRoot(), 'vitest.config.ts'))).toBe(true);
});
