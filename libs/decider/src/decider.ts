/**
 * A decision as two pure functions. `decide` answers a command with the events that follow from it:
 * none when nothing is new (a repeat, however late), and it throws `Rejected` when the command is
 * refused. `evolve` folds one event into the state; the state stays O(1) in the stream's length.
 * Time, ids and randomness arrive in the command.
 */
export interface Decider<State, Command, Event> {
  readonly initial: State;
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
}

/** A refusal: `code` is a kebab-case sentence fragment out of the service's closed union. */
export class Rejected<Code extends string = string> extends Error {
  override readonly name = 'Rejected';
  constructor(
    readonly code: Code,
    readonly detail: string = code,
  ) {
    super(detail === code ? code : `${code}: ${detail}`);
  }
}

export function fold<S, C, E>(decider: Decider<S, C, E>, events: Iterable<E>, from = decider.initial): S {
  let state = from;
  for (const event of events) state = decider.evolve(state, event);
  return state;
}
