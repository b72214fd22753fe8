import { expect, test } from 'vitest';
import { type Guess, GuessLimit } from './guess-limit.ts';

const rates = { network: { perSecond: 1, burst: 20 }, each: { perSecond: 0.1, burst: 5 } };
const from = (address: string, secret: string, as = 'S1'): Guess => ({ address, secret, as });

/** Knows one secret of each station, and counts how often it looks. */
class Door {
  looked = 0;
  right = 'right';
  constructor(private readonly limit: GuessLimit) {}

  /** in, out, or the seconds to wait. */
  async knock(guess: Guess): Promise<'in' | 'out' | number> {
    const { found, waitS } = await this.limit.look(guess, async () => {
      this.looked += 1;
      await Promise.resolve();
      return guess.secret === this.right ? 'in' as const : undefined;
    });
    return waitS > 0 ? waitS : found ?? 'out';
  }

  async guesses(times: number, address: string, as?: string): Promise<void> {
    for (let n = 0; n < times; n += 1) await this.knock(from(address, `wrong ${n}`, as));
  }
}

test('of 10,000 guesses for one station a few are looked at, of those for many a few more, and then it is said how long to wait', async () => {
  let nowMs = 0;
  const door = new Door(new GuessLimit(rates, () => nowMs));
  await door.guesses(10_000, '192.0.2.7');
  expect(door.looked).toBe(5);
  expect(await door.knock(from('192.0.2.7', 'another'))).toBe(10);
  for (let n = 2; n < 30; n += 1) await door.guesses(10, '192.0.2.7', `S${n}`);
  expect(door.looked).toBe(20);
  expect(await door.knock(from('192.0.2.7', 'another', 'S99'))).toBe(1);
  nowMs = 10_000;
  expect(await door.knock(from('192.0.2.7', 'another'))).toBe('out');
});

test('who knows the secret is not locked out by guesses from elsewhere, nor where it was let in lately by those from its own address', async () => {
  const door = new Door(new GuessLimit(rates, () => 0));
  await door.guesses(1_000, '192.0.2.7');
  expect(await door.knock(from('192.0.2.8', 'right'))).toBe('in');
  await door.guesses(1_000, '192.0.2.8');
  expect(await door.knock(from('192.0.2.8', 'other'))).toBeGreaterThan(0);
  for (let n = 0; n < 100; n += 1) expect(await door.knock(from('192.0.2.8', 'right'))).toBe('in');
});

test('many at once are no way around, and those that were right do not count', async () => {
  const door = new Door(new GuessLimit(rates, () => 0));
  const atOnce = (secret: string) => Promise.all(Array.from({ length: 30 }, (_, n) => door.knock(from('192.0.2.7', secret, `S${n}`))));
  expect((await atOnce('wrong')).filter((answer) => answer === 'out')).toHaveLength(20);
  const others = new Door(new GuessLimit(rates, () => 0));
  for (let n = 0; n < 100; n += 1) expect(await others.knock(from('192.0.2.7', 'right', `S${n}`))).toBe('in');
});

test('a secret that is right no more counts from its first refusal on', async () => {
  const door = new Door(new GuessLimit(rates, () => 0));
  expect(await door.knock(from('192.0.2.7', 'right'))).toBe('in');
  door.right = 'newer';
  for (let n = 0; n < 20; n += 1) await door.knock(from('192.0.2.7', 'right'));
  expect(door.looked - 1).toBe(5);
});

test('what cannot be looked at is nobody\'s guess', async () => {
  const limit = new GuessLimit(rates, () => 0);
  const broken = () => limit.look(from('192.0.2.7', 'right'), () => Promise.reject(new Error('no database')));
  for (let n = 0; n < 50; n += 1) await expect(broken()).rejects.toThrow('no database');
  expect(await new Door(limit).knock(from('192.0.2.7', 'right'))).toBe('in');
});
