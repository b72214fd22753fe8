import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given, withRepeats } from '#decider';
import {
  beganTooLate,
  type CommandCommand,
  commandDecider,
  type CommandEvent,
  type CommandResult,
  type Task,
} from './command.ts';

const at = '2022-02-01T17:00:00Z';
const task: Task = {
  kind: 'start',
  stationId: 'OASIS-L2-01',
  stationConnector: 1,
  token: '{}',
  evseStatus: 'AVAILABLE',
};
const take = { type: 'TakeCommand', task, from: 'partner', timeoutS: 60, at } as const;
const taken = { type: 'CommandTaken', task, from: 'partner', timeoutS: 60, at } as const;
const finish = (result: CommandResult): CommandCommand => ({
  type: 'FinishCommand',
  result,
  message: 'as it said',
  at,
});
const finished = (result: CommandResult, message = 'as it said'): CommandEvent => ({
  type: 'CommandFinished',
  from: 'partner',
  result,
  message,
  at,
});
const note = { type: 'NoteCharge', sessionId: 'S1', at } as const;
const noted = { type: 'ChargeNoted', sessionId: 'S1', at } as const;
const command = (...past: CommandEvent[]) => given(commandDecider, ...past);

describe('a command', () => {
  test('is taken once', () => {
    command().when(take).then(taken);
    command(taken).when(take).thenNothing();
  });
  test('ends once, with the first answer', () => {
    command(taken).when(finish('ACCEPTED')).then(finished('ACCEPTED'));
    command(taken, finished('TIMEOUT')).when(finish('ACCEPTED')).thenNothing();
  });
  test('that was never taken does not end', () => command().when(finish('ACCEPTED')).thenNothing());
  test('is ACCEPTED by the charge itself where that comes before the answer', () =>
    command(taken).when(note).then(noted, finished('ACCEPTED', 'the charge has begun')));
  test('notes the charge that follows its answer', () =>
    command(taken, finished('ACCEPTED')).when(note).then(noted));
});

test.each([
  [['ACCEPTED'], false],
  [['TIMEOUT'], true],
  [['REJECTED'], true],
  [[], false],
] as const)('a charge after %j began too late: %s', (results, late) => {
  const before = [taken, ...results.map((result) => finished(result))];
  const { state } = [note].reduce(
    ({ state: known }, each) => ({
      state: fold(commandDecider, commandDecider.decide(each, known), known),
    }),
    { state: fold(commandDecider, before) },
  );
  expect(beganTooLate(state)).toBe(late);
});

test('any command repeated at any later point yields no second event', () => {
  const commands = fc.array(
    fc.constantFrom<CommandCommand>(take, note, finish('ACCEPTED'), finish('TIMEOUT')),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(commands, (all) => void withRepeats(commandDecider, all)),
    { numRuns: 200, seed: 20220201 },
  );
});
