import { agreementStream } from './agreement.ts';
import { readCdrId, sessionStream } from './cdr.ts';
import { disputeStream } from './dispute.ts';
import type { LedgerEvent } from './ledger-event.ts';
import { receivedStream } from './received-cdr.ts';

/** The stream that an event belongs to, by what it says itself. */
export function streamOf(event: LedgerEvent): string {
  switch (event.type) {
    case 'CdrIssued':
    case 'CdrCredited':
    case 'SessionLeftUnbilled':
      return sessionStream(event.sessionId);
    case 'CdrAcknowledged':
      return sessionStream(readCdrId(event.cdrId)?.sessionId ?? '');
    case 'CdrReceived':
      return receivedStream(event.cdr);
    case 'AgreementNoted':
      return agreementStream(event.partner);
    case 'DisputeOpened':
    case 'DisputeAnswered':
    case 'DisputeWithdrawn':
    case 'DisputeCredited':
      return disputeStream(event.cdr);
  }
}
