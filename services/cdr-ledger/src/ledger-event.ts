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

/** Parsed once, however many followers of the log look at it. */
const parsed = new WeakMap<object, LedgerEvent>();

export function readEvent(stored: Pick<StoredEvent, 'data'>): LedgerEvent {
  let event = parsed.get(stored);
  if (event === undefined) {
    event = JSON.parse(stored.data) as LedgerEvent;
    parsed.set(stored, event);
  }
  return event;
}
