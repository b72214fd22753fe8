import { test } from 'vitest';
import { given } from '#decider';
import { type LimitEvent, limits, type Note } from './limits.ts';

const at = '2022-02-01T17:00:00Z';
const site = { siteId: 'SITE', at };
const here = { stationId: 'S', connectorId: 1 };
const took: LimitEvent = { type: 'OwnerTook', ...site, epoch: 1 };
const told = (limitMa: number): LimitEvent => ({
  type: 'LimitTold',
  ...site,
  ...here,
  limitMa,
  reason: 'why',
});
const confirmed = (limitMa: number): LimitEvent => ({
  type: 'LimitConfirmed',
  ...site,
  ...here,
  limitMa,
  reason: 'why',
});
const notes = (...list: Note[]) => ({ type: 'TakeNotes' as const, ...site, epoch: 1, notes: list });
const tell = (limitMa: number): Note => ({ type: 'TellLimit', ...here, limitMa, reason: 'why' });
const confirm = (limitMa: number): Note => ({ type: 'ConfirmLimit', ...here, limitMa });
const judge = (exposedMa: number): Note => ({
  type: 'JudgeFeeder',
  feeder: 'panel',
  exposedMa,
  limitMa: 192_000,
});

test('an owner takes the site once', () => {
  given(limits)
    .when({ type: 'TakeSite', ...site, epoch: 1 })
    .then(took);
  given(limits, took)
    .when({ type: 'TakeSite', ...site, epoch: 1 })
    .thenNothing();
});

test('whoever was the owner before can neither tell nor confirm anything', () => {
  const second: LimitEvent = { ...took, epoch: 2 };
  given(limits, took, second)
    .when(notes(tell(16_000)))
    .thenRejected('not-the-owner');
  given(limits, took, second)
    .when({ type: 'TakeSite', ...site, epoch: 1 })
    .thenRejected('not-the-owner');
  given(limits)
    .when(notes(tell(16_000)))
    .thenRejected('not-the-owner');
});

test('a limit that is renewed is no news, told or confirmed', () => {
  given(limits, took)
    .when(notes(tell(16_000)))
    .then(told(16_000));
  given(limits, took, told(16_000))
    .when(notes(tell(16_000)))
    .thenNothing();
  given(limits, took, told(16_000))
    .when(notes(confirm(16_000)))
    .then(confirmed(16_000));
  given(limits, took, told(16_000), confirmed(16_000))
    .when(notes(confirm(16_000), tell(16_000)))
    .thenNothing();
});

test('a limit that is told again after another has to be confirmed again', () => {
  given(limits, took, told(16_000), confirmed(16_000), told(20_000))
    .when(notes(confirm(16_000), tell(16_000)))
    .then(confirmed(16_000), told(16_000));
});

test('the same refusal is written once', () => {
  const doubt: Note = { type: 'DoubtLimit', ...here, limitMa: 16_000, outcome: 'refused' };
  const doubted: LimitEvent = {
    type: 'LimitNotConfirmed',
    ...site,
    ...here,
    limitMa: 16_000,
    outcome: 'refused',
  };
  given(limits, took, told(16_000)).when(notes(doubt)).then(doubted);
  given(limits, took, told(16_000), doubted)
    .when(notes(doubt, tell(16_000)))
    .thenNothing();
});

test('a fail-safe is remembered until the station says that it has none', () => {
  const fact: LimitEvent = { type: 'FailSafeConfirmed', ...site, ...here, limitMa: 6_000 };
  given(limits, took)
    .when(notes({ type: 'ConfirmFailSafe', ...here, limitMa: 6_000 }))
    .then(fact);
  given(limits, took, fact)
    .when(notes({ type: 'ConfirmFailSafe', ...here, limitMa: 6_000 }))
    .thenNothing();
  given(limits, took, fact)
    .when(notes({ type: 'RefuseFailSafe', ...here }))
    .then({ type: 'FailSafeRefused', ...site, ...here });
});

test('an overload is told when it begins and when it ends', () => {
  const load = { feeder: 'panel', limitMa: 192_000 };
  const overloaded: LimitEvent = { type: 'FeederOverloaded', ...site, ...load, exposedMa: 200_000 };
  given(limits, took)
    .when(notes(judge(192_000)))
    .thenNothing();
  given(limits, took)
    .when(notes(judge(200_000), judge(210_000)))
    .then(overloaded);
  given(limits, took, overloaded)
    .when(notes(judge(190_000)))
    .then({ type: 'FeederRelieved', ...site, ...load, exposedMa: 190_000 });
});
