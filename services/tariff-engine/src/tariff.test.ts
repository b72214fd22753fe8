import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given } from '#decider';
import { type PublishTariff, type TariffCommand, tariffDecider, type TariffEvent, versionAt } from './tariff.ts';

const at = (minute: number) => `2022-02-01T17:${String(minute).padStart(2, '0')}:00Z`;
const publish = (price: number, minute: number): PublishTariff => ({
  type: 'PublishTariff', own: true, at: at(minute), lastUpdated: at(minute), lastUpdatedMs: Date.parse(at(minute)),
  text: JSON.stringify({ id: 'L2', price, last_updated: at(minute) }),
});
const published = (price: number, minute: number, version: number): TariffEvent => ({
  ...publish(price, minute), type: 'TariffPublished', version,
});
const withdraw = { type: 'WithdrawTariff', own: true, at: at(30) } as const;
const withdrawn = { type: 'TariffWithdrawn', own: true, at: at(30) } as const;
const tariff = (...past: TariffEvent[]) => given(tariffDecider, ...past);

describe('a tariff', () => {
  test('that is new is version 1', () => tariff().when(publish(0.2, 0)).then(published(0.2, 0, 1)));
  test('that changed is the next version', () =>
    tariff(published(0.2, 0, 1)).when(publish(0.3, 5)).then(published(0.3, 5, 2)));
  test('that only has a newer last_updated is not news', () =>
    tariff(published(0.2, 0, 1)).when(publish(0.2, 5)).thenNothing());
  test('that is older than the one held does not overwrite it', () =>
    tariff(published(0.2, 5, 1)).when(publish(0.3, 0)).thenNothing());
  test('is withdrawn once', () => {
    tariff(published(0.2, 0, 1)).when(withdraw).then(withdrawn);
    tariff(published(0.2, 0, 1), withdrawn).when(withdraw).thenNothing();
  });
  test('that was never published is not withdrawn', () => tariff().when(withdraw).thenNothing());
  test('that comes back after it was withdrawn is the next version', () =>
    tariff(published(0.2, 0, 1), withdrawn).when(publish(0.2, 40)).then(published(0.2, 40, 2)));
});

test('any command repeated at once yields no second event', () => {
  const commands = fc.array(fc.oneof(
    fc.record({ price: fc.integer({ min: 1, max: 3 }), minute: fc.integer({ min: 0, max: 59 }) })
      .map(({ price, minute }): TariffCommand => publish(price, minute)),
    fc.constant<TariffCommand>(withdraw),
  ), { maxLength: 12 });
  fc.assert(fc.property(commands, (all) => {
    let state = tariffDecider.initial;
    for (const command of all) {
      state = fold(tariffDecider, tariffDecider.decide(command, state), state);
      expect(tariffDecider.decide(command, state)).toEqual([]);
    }
  }), { numRuns: 300, seed: 20220201 });
});

test.each([
  [-1, undefined],
  [0, 1],
  [9, 1],
  [10, 2],
  [30, undefined],
])('at minute %s version %s is in force', (minute, version) => {
  const events = [published(0.2, 0, 1), published(0.3, 10, 2), withdrawn];
  const instant = Date.parse(at(0)) + minute * 60_000;
  expect(versionAt(events, instant, Date.parse)?.version).toBe(version);
});
