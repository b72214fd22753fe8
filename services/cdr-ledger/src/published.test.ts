import { type Bus, Unanswered } from '#bus';
import { exampleCdr } from '#ocpi';
import { fixedClock } from '#time';
import { expect, test, vi } from 'vitest';
import { publishedFrom } from './published.ts';

test('a tariff-engine that did not answer is asked again in a while, also where the clock is set back by ten minutes meanwhile', async () => {
  let asked = 0;
  const bus = {
    ask: () => {
      asked += 1;
      return Promise.reject(new Unanswered('offline', 'tariff-engine'));
    },
  } as unknown as Bus;
  const look = publishedFrom(bus, fixedClock('2022-02-01T17:00:00Z'));
  const cdr = { ...exampleCdr, tariffs: exampleCdr.tariffs!.slice(0, 1) };
  await look(cdr);
  await look(cdr);
  expect(asked, 'one that is away is left alone').toBe(1);
  const real = Date.now;
  const stepped = vi.spyOn(Date, 'now').mockImplementation(() => real() - 600_000);
  try {
    await expect.poll(async () => (await look(cdr), asked), { timeout: 30_000 }).toBe(2);
  } finally {
    stepped.mockRestore();
  }
});
