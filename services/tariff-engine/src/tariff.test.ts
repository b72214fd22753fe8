import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { given, withRepeats } from '#decider';
import { contentDigest } from './content.ts';
import {
  type PublishTariff,
  type TariffCommand,
  tariffDecider,
  type TariffEvent,
  type TariffSource,
  type TariffTurn,
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

const published = (command: PublishTariff, version: number): TariffTurn => ({
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

const withdrawn = (minute: number, source: TariffSource = 'operator'): TariffTurn => ({
  ...withdraw(minute, source),
  type: 'TariffWithdrawn',
});

/** Ordered while it was so already. */
const noted = (command: TariffCommand, version: number): TariffEvent => {
  const { source, at: orderedAt, atMs, commandId } = command;
  const kept: TariffEvent = { type: 'TariffKept', source, at: orderedAt, atMs, version, ...(commandId && { commandId }) };
  if (command.type === 'WithdrawTariff') return kept;
  const { digest, lastUpdatedMs } = command;
  return { ...kept, said: { digest, lastUpdatedMs } };
};

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
  test('that is older takes the place of the one held as its owner was asked, and of none that came since', () => {
    const ahead = published(publish(0.2, 5), 1);
    const asked = publish(0.3, 0, { replacesMs: Date.parse(at(5)) });
    tariff(ahead).when(asked).then(published(asked, 2));
    tariff(ahead, published(publish(0.4, 6), 2)).when(asked).thenNothing();
  });
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
  test('that came back is not withdrawn by a list that was asked for before', () =>
    tariff(first, withdrawn(30), published(publish(0.2, 40), 2))
      .when({ ...withdraw(50), foundMs: Date.parse(at(35)) })
      .thenNothing());
  test('that is as ordered already is not published by that order later either', () => {
    const ordered = publish(0.2, 5, { commandId: 'c1' });
    const found = noted(ordered, 1);
    tariff(first).when(ordered).then(found);
    tariff(first, found, published(publish(0.3, 6), 2)).when(publish(0.2, 50, { commandId: 'c1' })).thenNothing();
  });
  test('that is withdrawn already is not withdrawn by that order later either', () => {
    const ordered: WithdrawTariff = { ...withdraw(31), commandId: 'c1' };
    const found = noted(ordered, 1);
    tariff(first, withdrawn(30)).when(ordered).then(found);
    tariff(first, withdrawn(30), found, published(publish(0.2, 40), 2))
      .when({ ...withdraw(50), commandId: 'c1' }).thenNothing();
  });
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
  test('that say what an operator made it before do not undo what the operator makes it later', () => {
    const said = publish(0.3, 9, settings);
    const past = [described, published(publish(0.3, 5), 2)];
    tariff(...past).when(said).then(noted(said, 2));
    tariff(...past, noted(said, 2), published(publish(0.4, 12), 3)).when(publish(0.3, 20, settings)).thenNothing();
    tariff(...past, noted(said, 2)).when(publish(0.3, 20, settings)).thenNothing();
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
          const id = commandId === undefined || source !== 'operator' ? {} : { commandId };
          return publish(price, updated, {
            ...id,
            source,
            at: at(taken),
            atMs: Date.parse(at(taken)),
          });
        }),
      fc.record({ taken: minute, commandId: fc.option(fc.constantFrom('w1', 'w2'), { nil: undefined }) }).map(
        ({ taken, commandId }): TariffCommand => ({ ...withdraw(taken), ...(commandId === undefined ? {} : { commandId }) }),
      ),
    ),
    { maxLength: 15 },
  );
  fc.assert(
    fc.property(commands, (all) => void withRepeats(tariffDecider, all)),
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

test('what is published behind a version is not where that stands no more', () => {
  const behind = publish(1, 9, { after: 2 });
  const [first, second, third] = [1, 2, 3].map((n) => published(publish(n, n), n));
  given(tariffDecider, first!, second!).when(behind).then(published(behind, 3));
  given(tariffDecider, first!, second!, third!).when(behind).thenNothing();
});
