import type { StoredEvent } from '#event-store';
import type { AccountEvent } from './account.ts';
import type { AgreementNoted } from './agreement.ts';
import type { SessionCdrEvent } from './cdr.ts';
import type { ChargeEvent } from './charge.ts';
import type { DisputeEvent } from './dispute.ts';
import type { CdrReceived } from './received-cdr.ts';

/** Everything that the log of this service holds. */
export type LedgerEvent =
  SessionCdrEvent | CdrReceived | AgreementNoted | DisputeEvent | AccountEvent | ChargeEvent;

/**
 * Parsed anew each time, and gone with whoever asked: what thousands of events are parsed to would be kept as long as
 * their texts are, at more expense than parsing costs. Who wants few kinds looks at the `type` beside the text first.
 */
export function readEvent(stored: Pick<StoredEvent, 'data'>): LedgerEvent {
  return JSON.parse(stored.data) as LedgerEvent;
}
