import type { Decider } from '#decider';
import type { Party } from '#ocpi';
import type { ReservedPlace } from './reservation.ts';

/**
 * What a partner or our own driver commands and we carry out at one of our stations: to start or stop
 * a charge, to keep an EVSE free or let it go. It ends once; whatever is said of it later changes nothing.
 */

export type CommandResult =
  | 'ACCEPTED'
  | 'REJECTED'
  | 'EVSE_OCCUPIED'
  | 'EVSE_INOPERATIVE'
  | 'FAILED'
  | 'NOT_SUPPORTED'
  | 'TIMEOUT'
  | 'UNKNOWN_RESERVATION';

/** What the station is asked to do. */
export type Task =
  | {
      readonly kind: 'start';
      readonly stationId: string;
      readonly stationConnector: number;
      /** The OCPI Token's JSON. */
      readonly token: string;
      readonly reference?: string | undefined;
      /** OCPI Status of the EVSE when the command came. */
      readonly evseStatus: string;
    }
  | {
      readonly kind: 'stop';
      readonly stationId: string;
      readonly transactionId: string;
      readonly sessionId: string;
    }
  | ReserveTask
  /** 0: there is no such reservation. */
  | { readonly kind: 'cancel-reservation'; readonly number: number };

export interface ReserveTask {
  readonly kind: 'reserve';
  /** Of the reservation, as stations know it. */
  readonly number: number;
  readonly sessionId: string;
  /** The OCPI Token's JSON. */
  readonly token: string;
  readonly expiresAt: string;
  readonly reference?: string | undefined;
  readonly reservationId: string;
  readonly locationId: string;
  readonly operator: Party;
  /** Where it may be, the best first. */
  readonly places: readonly ReservedPlace[];
}

export type CommandCommand =
  | {
      readonly type: 'TakeCommand';
      readonly task: Task;
      /** `own`: one of our own orders waits for the result, no partner does. */
      readonly from: 'partner' | 'own';
      readonly timeoutS: number;
      readonly at: string;
    }
  | {
      readonly type: 'FinishCommand';
      readonly result: CommandResult;
      readonly message: string;
      readonly at: string;
    }
  /** A transaction began that the station was asked for. */
  | { readonly type: 'NoteCharge'; readonly sessionId: string; readonly at: string };

export type CommandEvent =
  | {
      readonly type: 'CommandTaken';
      readonly task: Task;
      readonly from: 'partner' | 'own';
      readonly timeoutS: number;
      readonly at: string;
    }
  | {
      readonly type: 'CommandFinished';
      readonly from: 'partner' | 'own';
      readonly result: CommandResult;
      readonly message: string;
      readonly at: string;
    }
  | { readonly type: 'ChargeNoted'; readonly sessionId: string; readonly at: string };

export interface CommandState {
  readonly taken?: {
    readonly task: Task;
    readonly from: 'partner' | 'own';
    readonly timeoutS: number;
    readonly at: string;
  };
  readonly finished?: { readonly result: CommandResult; readonly message: string };
  readonly sessionId?: string;
}

export const commandDecider: Decider<CommandState, CommandCommand, CommandEvent> = {
  initial: {},

  decide(command, state) {
    const { taken, finished } = state;
    switch (command.type) {
      case 'TakeCommand':
        return taken ? [] : [{ ...command, type: 'CommandTaken' }];
      case 'FinishCommand':
        return taken && !finished
          ? [{ ...command, type: 'CommandFinished', from: taken.from }]
          : [];
      case 'NoteCharge': {
        if (!taken || state.sessionId !== undefined) return [];
        const noted: CommandEvent = { ...command, type: 'ChargeNoted' };
        if (finished) return [noted];
        // The charge itself is the station's yes, should its answer still be on the way or be lost.
        return [
          noted,
          {
            type: 'CommandFinished',
            from: taken.from,
            result: 'ACCEPTED',
            message: 'the charge has begun',
            at: command.at,
          },
        ];
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'CommandTaken': {
        const { task, from, timeoutS, at } = event;
        return { ...state, taken: { task, from, timeoutS, at } };
      }
      case 'CommandFinished':
        return { ...state, finished: { result: event.result, message: event.message } };
      case 'ChargeNoted':
        return { ...state, sessionId: event.sessionId };
    }
  },
};

/** A charge that began after its partner was told that it would not: nobody knows of it, nobody waits for it. */
export function beganTooLate({ finished }: CommandState): boolean {
  return finished !== undefined && finished.result !== 'ACCEPTED';
}
