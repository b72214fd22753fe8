import { type Bus, saysNo } from '#bus';
import { type EvseResolved, resolveEvse } from '#contracts/locations';
import { busParty } from '#contracts/party';
import { addDue } from '#due';
import { type Party, sameParty, type Token } from '#ocpi';
import type { Database } from '#postgres';
import { currentTraceparent } from '#telemetry';
import type { Clock } from '#time';
import type { Task } from './command.ts';
import type { Config } from './config.ts';
import type { Logs } from './logs.ts';

export interface CommandsParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly clock: Clock;
  readonly config: Config;
  readonly logs: Logs;
  wake(): void;
}

export interface StartWish {
  readonly orderId: string;
  readonly token: Token;
  /** Only where this party of ours operates. */
  readonly party?: Party | undefined;
  readonly locationId: string;
  readonly evseUid?: string | undefined;
  readonly connectorId?: string | undefined;
  readonly reference?: string | undefined;
}

export interface StopWish {
  readonly orderId: string;
  readonly sessionId: string;
  /** On whose behalf; the token must be one of theirs. */
  readonly parties: readonly Party[];
  /** Only a session of this party of ours. */
  readonly party?: Party | undefined;
}

/** The answer at once; OCPI CommandResponseType. */
export interface Taken {
  readonly result: 'ACCEPTED' | 'REJECTED' | 'UNKNOWN_SESSION';
  readonly timeoutS: number;
  readonly message: string;
  readonly unknownLocation: boolean;
}

/** Partners' and our own drivers' orders to our stations. */
export class Commands {
  constructor(private readonly parts: CommandsParts) {}

  /** CMD-06: whether the token may charge is its owner's affair, and was settled before it was sent. */
  async start(wish: StartWish, from: 'partner' | 'own'): Promise<Taken> {
    const known = await this.known(wish.orderId);
    if (known) return known;
    const evse = await this.resolve(wish);
    if ('result' in evse) return evse;
    return this.take(wish.orderId, from, this.parts.config.startTimeoutS, {
      kind: 'start',
      stationId: evse.stationId,
      stationConnector: evse.stationConnector,
      token: JSON.stringify(wish.token),
      evseStatus: evse.evseStatus,
      ...(wish.reference === undefined ? {} : { reference: wish.reference }),
    });
  }

  async stop({ orderId, sessionId, parties, party: operator }: StopWish, from: 'partner' | 'own'): Promise<Taken> {
    const known = await this.known(orderId);
    if (known) return known;
    const { state } = await this.parts.logs.sessions.load(sessionId);
    if (!('session' in state) || (operator && !sameParty(state.session, operator)))
      return refused('UNKNOWN_SESSION', 'there is no such session');
    const { cdr_token: token } = state.session;
    if (!parties.some((party) => sameParty(party, token))) {
      return refused('REJECTED', "the session is charged by another party's token");
    }
    if (state.status === 'reserved') return refused('REJECTED', 'nobody charges yet: cancel the reservation');
    if (state.status !== 'active') return refused('REJECTED', 'the charge is over');
    const { stationId, transactionId } = state.transaction;
    return this.take(orderId, from, this.parts.config.stopTimeoutS, {
      kind: 'stop',
      stationId,
      transactionId,
      sessionId,
    });
  }

  /** The same command again gets the same answer. */
  async known(orderId: string): Promise<Taken | undefined> {
    const {
      state: { taken },
    } = await this.parts.logs.commands.load(orderId);
    return taken && accepted(taken.timeoutS);
  }

  async take(
    orderId: string,
    from: 'partner' | 'own',
    timeoutS: number,
    task: Task,
  ): Promise<Taken> {
    const { db, clock, logs, wake } = this.parts;
    // Intent first: a row without its event does nothing.
    await addDue(db, {
      id: `carry out ${orderId}`,
      key: `command ${orderId}`,
      kind: 'carry-out',
      at: clock.now(),
      body: { orderId },
    });
    const command = { type: 'TakeCommand', task, from, timeoutS, at: clock.iso() } as const;
    await logs.commands.execute(orderId, `take ${orderId}`, command, currentTraceparent());
    wake();
    return accepted(timeoutS);
  }

  private async resolve({
    party,
    locationId,
    evseUid,
    connectorId,
  }: StartWish): Promise<EvseResolved | Taken> {
    try {
      return await this.parts.bus.ask(resolveEvse, {
        locationId,
        ...(party ? { party: busParty(party) } : {}),
        ...(evseUid === undefined ? {} : { evseUid }),
        ...(connectorId === undefined ? {} : { connectorId }),
      });
    } catch (error) {
      // Of what is only away or broken it is said by 3000 that it may be asked again: nothing is known against the command.
      if (!saysNo(error)) throw error;
      return {
        ...refused('REJECTED', error.detail),
        unknownLocation: error.code.startsWith('unknown-'),
      };
    }
  }
}

function accepted(timeoutS: number): Taken {
  return { result: 'ACCEPTED', timeoutS, message: '', unknownLocation: false };
}

export function refused(result: 'REJECTED' | 'UNKNOWN_SESSION', message: string): Taken {
  return { result, timeoutS: 0, message, unknownLocation: false };
}
