import assert from 'node:assert/strict';
import { type Decider, Rejected } from './decider.ts';

/**
 * The property of every decider: any command repeated at any later point yields no second event. One
 * that has an id yields none either where it was taken and there was nothing to do: who ordered it was
 * told that it is done. Takes them all, each with all the earlier ones again; gives the log.
 */
export function withRepeats<S, C extends object, E>(decider: Decider<S, C, E>, commands: readonly C[]): readonly E[] {
  const log: E[] = [];
  const taken: C[] = [];
  let state = decider.initial;
  for (const command of commands) {
    const events = answerTo(decider, command, state);
    if (events === undefined) continue;
    if (events.length > 0 || isOrder(command)) taken.push(command);
    log.push(...events);
    for (const event of events) state = decider.evolve(state, event);
    for (const earlier of taken) assert.deepEqual(answerTo(decider, earlier, state) ?? [], []);
  }
  return log;
}

function isOrder(command: object): boolean {
  return 'commandId' in command && command.commandId !== undefined;
}

/** Nothing where it is refused. */
function answerTo<S, C, E>(decider: Decider<S, C, E>, command: C, state: S): readonly E[] | undefined {
  try {
    return decider.decide(command, state);
  } catch (error) {
    if (error instanceof Rejected) return undefined;
    throw error;
  }
}
