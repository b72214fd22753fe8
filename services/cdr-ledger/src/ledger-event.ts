import type { StoredEvent } from '#event-store';
import type { AgreementNoted } from './agreement.ts';
import type { SessionCdrEvent } from './cdr.ts';
import type { DisputeEvent } from './dispute.ts';
import type { CdrReceived } from './received-cdr.ts';

/** Everything that the log of this service holds. */
export type LedgerEvent = SessionCdrEvent | CdrReceived | AgreementNoted | DisputeEvent;

export function readEvent({ data }: Pick<StoredEvent, 'data'>): LedgerEvent {
  return JSON.parse(data) as LedgerEvent;
}
