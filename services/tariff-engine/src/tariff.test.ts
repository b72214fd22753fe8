import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given } from '#decider';
import { contentDigest } from './content.ts';
import {
  type PublishTariff,
  type TariffCommand,
  tariffDecider,
  type TariffEvent,
  type TariffSource,
  versionAt,
  type WithdrawTariff,
} from './tariff.ts';

const at = (minute: number) => `2022-02-01T17:${String(minute).padStart(2, '0')}:00Z`;

function publish(price: number, minute: number, more: Partial<PublishTariff> = {}): PublishTariff {
  const content = { id: 'L2', price };
  return {
    type: 'PublishTariff',
    source: 'operator',
    at: at(minute),
    atMs: Date.parse(at(minute)),
    lastUpdated: at(minute),
    lastUpdatedMs: Date.parse(at(minute)),
    text: JSON.stringify({ ...content, last_updated: at(minute) }),
    digest: contentDigest(content),
    ...more,
  };
}

const published = (command: PublishTariff, version: number): TariffEvent => ({
  ...command,
  type: 'TariffPublished',
  version,
});

const withdraw = (minute: number, source: TariffSource = 'operator'): WithdrawTariff => ({
  type: 'WithdrawTariff',
  source,
  at: at(minute),
  atMs: Date.parse(at(minute)),
});

const withdrawn = (minute: number, source: TariffSource = 'operator'): TariffEvent => ({
  ...withdraw(minute, source),
  type: 'TariffWithdrawn',
});

const tariff = (...past: TariffEvent[]) => given(tariffDecider, ...past);
const first = published(publish(0.2, 0), 1);
const settings = { source: 'settings' } as const;

describe('a tariff', () => {
  test('that is new is version 1', () => tariff().when(publish(0.2, 0)).then(first));
  test('that changed is the next version', () =>
    tariff(first).when(publish(0.3, 5)).then(published(publish(0.3, 5), 2)));
  test('that only has a newer last_updated is not news', () =>
    tariff(first).when(publish(0.2, 5)).thenNothing());
  test('that is older than the one held does not overwrite it', () =>
    tariff(published(publish(0.2, 5), 1)).when(publish(0.3, 0)).thenNothing());
  test('that changed twice within one last_updated is taken twice, and no more', () => {
    const second = published(publish(0.3, 0), 2);
    tariff(first).when(publish(0.3, 0)).then(second);
    tariff(first, second).when(publish(0.2, 0)).thenNothing();
  });
  test('is withdrawn once', () => {
    tariff(first).when(withdraw(30)).then(withdrawn(30));
    tariff(first, withdrawn(30)).when(withdraw(30)).thenNothing();
  });
  test('that was never published is not withdrawn', () =>
    tariff().when(withdraw(30)).thenNothing());
  test('that comes back after it was withdrawn is the next version', () =>
    tariff(first, withdrawn(30))
      .when(publish(0.2, 40))
      .then(published(publish(0.2, 40), 2)));
  test('that a partner puts back as it was is the next version', () => {
    const again = publish(0.2, 0, { at: at(40), atMs: Date.parse(at(40)) });
    tariff(first, withdrawn(30)).when(again).then(published(again, 2));
  });
  test('that came back is not withdrawn by what was ordered before', () =>
    tariff(first, withdrawn(30), published(publish(0.2, 40), 2))
      .when(withdraw(30))
      .thenNothing());
  test('that was ordered with an id is published once, however late it is ordered again', () => {
    const ordered = publish(0.3, 5, { commandId: 'c1' });
    const past = [first, published(ordered, 2), published(publish(0.4, 6), 3)];
    tariff(...past)
      .when(publish(0.3, 50, { commandId: 'c1' }))
      .thenNothing();
  });
});

describe('the settings', () => {
  const described = published(publish(0.2, 0, settings), 1);

  test('that say the same again change nothing, also when an operator changed it since', () => {
    tariff(described).when(publish(0.2, 9, settings)).thenNothing();
    tariff(described, published(publish(0.3, 5), 2))
      .when(publish(0.2, 9, settings))
      .thenNothing();
    tariff(described, withdrawn(5)).when(publish(0.2, 9, settings)).thenNothing();
  });
  test('that changed are the next version', () =>
    tariff(described, published(publish(0.3, 5), 2))
      .when(publish(0.4, 9, settings))
      .then(published(publish(0.4, 9, settings), 3)));
  test('that dropped a tariff may have it again', () =>
    tariff(described, withdrawn(5, 'settings'))
      .when(publish(0.2, 9, settings))
      .then(published(publish(0.2, 9, settings), 2)));
});

test('two spellings of a tariff say the same, and last_updated says nothing', () => {
  const one = { id: 'L2', elements: [{ a: 1, b: [2, 3] }], last_updated: at(1), type: null };
  expect(contentDigest(one)).toBe(
    contentDigest({ last_updated: at(2), elements: [{ b: [2, 3], a: 1.0 }], id: 'L2' }),
  );
  expect(contentDigest(one)).not.toBe(contentDigest({ ...one, elements: [{ a: 1, b: [3, 2] }] }));
});

test('any command repeated at any later point yields no second event', () => {
  const minute = fc.integer({ min: 0, max: 20 });
  const commands = fc.array(
    fc.oneof(
      fc
        .record({
          price: fc.integer({ min: 1, max: 3 }),
          minute,
          taken: minute,
          source: fc.constantFrom<TariffSource>('settings', 'operator', 'partner'),
          commandId: fc.option(fc.constantFrom('a', 'b'), { nil: undefined, freq: 3 }),
        })
        .map(({ price, minute: updated, taken, source, commandId }): TariffCommand => {
          const id = commandId === undefined ? {} : { commandId };
          return publish(price, updated, {
            ...id,
            source,
            at: at(taken),
            atMs: Date.parse(at(taken)),
          });
        }),
      minute.map((n): TariffCommand => withdraw(n)),
    ),
    { maxLength: 15 },
  );
  fc.assert(
    fc.property(commands, (all) => {
      let state = tariffDecider.initial;
      const caused: TariffCommand[] = [];
      for (const command of all) {
        const events = tariffDecider.decide(command, state);
        if (events.length > 0) caused.push(command);
        state = fold(tariffDecider, events, state);
        for (const earlier of caused) expect(tariffDecider.decide(earlier, state)).toEqual([]);
      }
    }),
    { numRuns: 500, seed: 20220201 },
  );
});

test.each([
  [-1, undefined],
  [0, 1],
  [9, 1],
  [10, 2],
  [30, undefined],
])('at minute %s version %s is in force', (minute, version) => {
  const events = [first, published(publish(0.3, 10), 2), withdrawn(30)];
  const instant = Date.parse(at(0)) + minute * 60_000;
  expect(versionAt(events, instant)?.version).toBe(version);
});
