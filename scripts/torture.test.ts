import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeRun, runFolder } from '#servers';
import { badInput, badInputs } from './torture-bad.ts';
import { Draw } from './torture-draw.ts';
import { torture } from './torture-run.ts';
import { Steps } from './torture-steps.ts';

test('a seed decides all steps, and another one others', () => {
  const first = (seed: number) => {
    const steps = new Steps(seed);
    return Array.from({ length: 300 }, () => steps.next());
  };
  expect(first(1)).toEqual(first(1));
  expect(first(1)).not.toEqual(first(2));
  const kinds = new Set(first(1).map((step) => (step.do === 'fault' ? step.fault.kind : step.do)));
  expect(kinds.size).toBe(13);
});

test('lots are drawn evenly, and weights are kept', () => {
  const draw = new Draw('evenly');
  const drawn = Array.from({ length: 10_000 }, () => draw.weighed({ one: 1, nine: 9 }));
  expect(drawn.filter((one) => one === 'one').length).toBeGreaterThan(800);
  expect(drawn.filter((one) => one === 'one').length).toBeLessThan(1_200);
});

test('every bad input carries its mark, but for what has no room for one', () => {
  const parties = { issuer: { country_code: 'CA', party_id: 'BCT' }, receiver: { country_code: 'CA', party_id: 'CPK' } };
  for (const input of badInputs.filter((one) => one !== 'nothing at all'))
    expect(Buffer.from(badInput(input, 'BAD-1', parties).bytes).includes('BAD-1'), input).toBe(true);
});

/** Ninety steps with every kind of fault in them, and little waiting. */
const [SEED, STEPS] = [6_166, 90];

test(
  'two ledgers lose and double nothing through kills, crashes, and messages twice, late and out of order',
  { timeout: 300_000 },
  async () => {
    const dir = runFolder('test');
    const kept = mkdtempSync(join(tmpdir(), 'roamwatt-torture-'));
    const events = join(kept, `seed-${SEED}.jsonl`);
    try {
      const { problems, logs, counts } = await torture({ seed: SEED, dir, events, goesOn: (steps) => steps < STEPS });
      if (problems.length > 0) console.error(`${logs}\nall steps are in ${events}`);
      expect(problems).toEqual([]);
      expect(counts['sessions']).toBeGreaterThan(20);
      expect(counts['pay']).toBeGreaterThan(3);
      expect(counts['entries of accounts']).toBeGreaterThan(20);
      rmSync(kept, { recursive: true });
    } finally {
      removeRun(dir);
    }
  },
);
