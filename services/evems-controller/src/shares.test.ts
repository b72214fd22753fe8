import { expect, test } from 'vitest';
import fc from 'fast-check';
import { type Claim, fairShares, inTurn } from './shares.ts';

const A = 1_000;
const rules = { minMa: 6 * A, stepMa: A, idleMa: 0 };
const claim = (key: string, capA = 32, more: Partial<Claim> = {}): Claim => ({
  key,
  capMa: capA * A,
  charging: true,
  since: 0,
  hasYielded: false,
  ...more,
});
const cars = (n: number) => Array.from({ length: n }, (_, i) => claim(`car ${i + 1}`));
const inAmps = (shares: ReadonlyMap<string, number>) => [...shares.values()].map((ma) => ma / A);

test.each([
  { cars: 4, each: [32, 32, 32, 32] },
  { cars: 6, each: [32, 32, 32, 32, 32, 32] },
  { cars: 7, each: [28, 28, 28, 27, 27, 27, 27] },
  { cars: 10, each: [20, 20, 19, 19, 19, 19, 19, 19, 19, 19] },
])('192 A among $cars cars: the first get what rounding leaves over', ({ cars: n, each }) => {
  expect(inAmps(fairShares(cars(n), 192 * A, rules))).toEqual(each);
});

test('what one car cannot use goes to the others', () => {
  const claims = [claim('small', 16), claim('a'), claim('b')];
  expect(inAmps(fairShares(claims, 60 * A, rules))).toEqual([16, 22, 22]);
});

test('when not all can have 6 A, the first do and the others have 0, never something between', () => {
  expect(inAmps(fairShares(cars(5), 20 * A, rules))).toEqual([7, 7, 6, 0, 0]);
  expect(inAmps(fairShares(cars(2), 5 * A, rules))).toEqual([0, 0]);
});

test('a car that waits still counts as its charger’s fail-safe', () => {
  expect(inAmps(fairShares(cars(3), 20 * A, { ...rules, idleMa: 6 * A }))).toEqual([7, 7, 6]);
  // 16 A do not hold three at 8 A: as few as possible charge.
  expect(inAmps(fairShares(cars(3), 16 * A, { ...rules, idleMa: 8 * A }))).toEqual([8, 8, 0]);
});

test('shares are whole steps', () => {
  expect(inAmps(fairShares(cars(3), 50 * A, { ...rules, stepMa: 4 * A }))).toEqual([16, 16, 16]);
  expect(inAmps(fairShares(cars(3), 20 * A, { ...rules, stepMa: 500 }))).toEqual([7, 6.5, 6.5]);
});

const anyCase = fc.record({
  caps: fc.array(fc.integer({ min: 6, max: 80 }), { minLength: 1, maxLength: 12 }),
  roomA: fc.integer({ min: 0, max: 400 }),
  idleMa: fc.constantFrom(0, 6 * A, 8 * A),
});

test('shares never add up to more than there is, and nobody can have a step more without taking it', () => {
  fc.assert(
    fc.property(anyCase, ({ caps, roomA, idleMa }) => {
      const claims = caps.map((capA, i) => claim(`${i}`, Math.max(capA, idleMa / A)));
      fc.pre(roomA * A >= claims.length * idleMa);
      const shares = fairShares(claims, roomA * A, { ...rules, idleMa });
      const counted = [...shares.values()].reduce((sum, ma) => sum + Math.max(ma, idleMa), 0);
      expect(counted).toBeLessThanOrEqual(roomA * A);
      for (const one of claims) {
        const shareMa = shares.get(one.key) ?? 0;
        expect(shareMa === 0 || shareMa >= rules.minMa).toBe(true);
        expect(shareMa).toBeLessThanOrEqual(one.capMa);
        const canUseMore = shareMa > 0 && shareMa + A <= one.capMa;
        // Max-min: who has more than this one by over a step could give it some.
        const richest = Math.max(...claims.map(({ key }) => shares.get(key) ?? 0));
        if (canUseMore)
          expect(richest).toBeLessThanOrEqual(Math.max(shareMa + A, idleMa, rules.minMa));
        if (canUseMore) expect(roomA * A - counted).toBeLessThan(A);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('who charges keeps its turn until its time is over; then the longest waiting come first', () => {
  const claims = [
    claim('old', 32, { since: 0 }),
    claim('older', 32, { since: -100_000 }),
    claim('young', 32, { since: 800_000 }),
    claim('waits', 32, { charging: false, since: 500_000 }),
    claim('waits longer', 32, { charging: false, since: 400_000 }),
    claim('has just yielded', 32, { charging: false, since: 300_000, hasYielded: true }),
    claim('yielded long ago', 32, { charging: false, since: 90_000, hasYielded: true }),
  ];
  const order = inTurn(claims, 1_000_000, 900_000).map(({ key }) => key);
  expect(order).toEqual([
    'young',
    'yielded long ago',
    'waits longer',
    'waits',
    'old',
    'older',
    'has just yielded',
  ]);
});
