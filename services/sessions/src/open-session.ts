import { Unanswered } from '#bus';
import type { DueHandler, DueOutcome } from '#due';
import type { Database } from '#postgres';
import type { Config } from './config.ts';
import { type Logs, passOnResult } from './logs.ts';
import { openingOf, type OpeningParts } from './opening.ts';
import { findOpening, forgetOpening, lockOpening, type Opening } from './openings.ts';
import type { Said } from './said.ts';
import { watchSession } from './watch-session.ts';

export interface OpenSessionParts extends OpeningParts {
  readonly db: Database;
  readonly config: Config;
  readonly logs: Logs;
  readonly said: Said;
}

const FIRST_PAUSE_MS = 250;
/** Whoever is asked may be away for hours; drivers want to see their charge soon after. */
const LONGEST_PAUSE_MS = 5_000;

/** Opens sessions: asks for what holds at their start, and then says what waited for it. */
export class OpenSession {
  constructor(private readonly parts: OpenSessionParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'open-session': async (due, attempt) =>
      this.open((due.body as { sessionId: string }).sessionId, attempt),
  };

  private async open(sessionId: string, attempt: number): Promise<DueOutcome> {
    const opening = await findOpening(this.parts.db, sessionId);
    if (!opening) return 'done';
    try {
      await this.opened(sessionId, opening);
      return 'done';
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      const { log } = this.parts;
      if (attempt === 1) log.warn('a charge waits for its session', { session: sessionId, error });
      return { retryInMs: Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) };
    }
  }

  /** Killed in between, it is done again: what was said before says nothing new. */
  private async opened(sessionId: string, { fact, heardId }: Opening): Promise<void> {
    const { db, said } = this.parts;
    const command = await openingOf(this.parts, fact, sessionId);
    await db.tx(async (tx) => {
      const waiting = await lockOpening(tx, sessionId);
      if (!waiting) return;
      const charge = await said.carryOut(tx, sessionId, heardId, command);
      // Before the rows go: they are what brings a worker back here.
      if (charge.status !== 'invalid') await this.link(fact.authorization?.orderId, sessionId);
      if (charge.status === 'active') await watchSession(tx, charge, this.parts);
      for (const { commandId, command: next } of waiting)
        await said.carryOut(tx, sessionId, commandId, next);
      await forgetOpening(tx, sessionId);
    }, { asksBeside: true });
  }

  /** One of our own drivers ordered it: the order is answered by its session. */
  private async link(orderId: string | undefined, sessionId: string): Promise<void> {
    if (orderId === undefined) return;
    const { clock, logs } = this.parts;
    const { state } = await logs.commands.load(orderId);
    if (state.taken?.from !== 'own') return;
    const at = clock.iso();
    await passOnResult(logs, orderId, state, at);
    await logs.orders.execute(orderId, `link ${orderId}`, { type: 'LinkSession', sessionId, at });
  }
}
