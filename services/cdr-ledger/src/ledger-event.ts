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

export function readEvent({ data }: Pick<StoredEvent, 'data'>): LedgerEvent {
  return JSON.parse(data) as LedgerEvent;
}
