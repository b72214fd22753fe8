import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkoutRoot, forgetPassingPlaces, keptPlaceFor, passingPlaceFor } from './places.ts';
import { forgetDeadRuns } from './runs.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-places-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a place for data that are kept stays when the checkout it belongs to is gone', () => {
  const place = keptPlaceFor(join(dir, 'a checkout that was renamed'), join(dir, 'var'));
  forgetPassingPlaces();
  forgetDeadRuns(dir);
  expect(existsSync(place)).toBe(true);
  expect(statSync(place).mode & 0o777).toBe(0o711);
});

test("a test's place can be entered but not listed, and goes when its run's folder is gone", () => {
  const [one, other] = ['one', 'other'].map((name) => join(dir, name)) as [string, string];
  for (const each of [one, other]) mkdirSync(each);
  const [first, second] = [passingPlaceFor(one), passingPlaceFor(other)];
  expect(statSync(first).mode & 0o777).toBe(0o711);
  rmSync(one, { recursive: true });
  forgetPassingPlaces();
  expect([first, second].map((place) => existsSync(place))).toEqual([false, true]);
  rmSync(second, { recursive: true });
});

test('of runs that are dead the folders go; of the platform for keeps and of living runs none does', () => {
  const dead = ['demo-4194305', 'test-4194305', 'bench-4194305'];
  const stays = ['start', 'bin', `demo-${process.pid}`, 'demo', 'start-4194305'];
  for (const name of [...dead, ...stays]) mkdirSync(join(dir, name));
  forgetDeadRuns(dir);
  expect(dead.filter((name) => existsSync(join(dir, name)))).toEqual([]);
  expect(stays.filter((name) => existsSync(join(dir, name)))).toEqual(stays);
});

test('the checkout is found from anywhere inside', () => {
  expect(existsSync(join(checkoutRoot(), 'vitest.config.ts'))).toBe(true);
});
