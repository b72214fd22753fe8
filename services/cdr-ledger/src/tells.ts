import { type Fact, told } from '#bus';
import { toJsonBytes } from '#contracts';
import { accountCreditChanged } from '#contracts/accounts';
import { cdrIssued, cdrReceived } from '#contracts/cdr-ledger';
import { busParty } from '#contracts/party';
import type { EventStore, StoredEvent } from '#event-store';
import type { Database } from '#postgres';
import type { AccountEvent } from './account.ts';
import { contractKeys } from './holders.ts';
import { type LedgerEvent, readEvent } from './ledger-event.ts';
import { wholeCdr } from './private-part.ts';
import { findPrivateParts } from './private-parts.ts';
import { meantCdr } from './received-cdr.ts';

/** An event of the log with the text of its private part, unless that is erased. */
type Opened = LedgerEvent & { readonly privateText?: string };

/** An event of an account with its holder's contract, unless that is erased. */
interface HeldAccount {
  readonly contractKey?: string;
}

/**
 * What is told of an event: partners get the whole CDR, so the log has to be read
 * `withPrivateParts`.
 */
export function toTold(stored: StoredEvent): Fact | undefined {
  const event = readEvent(stored) as Opened;
  switch (event.type) {
    case 'CdrIssued':
    case 'CdrCredited':
      return told(cdrIssued, {
        cdrId: event.cdr.id,
        sessionId: event.sessionId,
        credit: event.type === 'CdrCredited',
        tokenParty: busParty(event.tokenParty),
        cdrJson: toJsonBytes(wholeCdr(event.cdr, event.privateText, event.tokenParty)),
      });
    case 'CdrReceived': {
      const whole = wholeCdr(event.cdr, event.privateText, event.tokenParty);
      return told(cdrReceived, {
        party: busParty(event.cdr),
        cdrId: meantCdr(event).id,
        credit: meantCdr(event).credit === true,
        tokenUid: whole.cdr_token.uid,
        // As it was received, byte for byte, as long as we may have it.
        cdrJson: toJsonBytes(event.privateText ?? whole),
      });
    }
    case 'CreditExhausted':
    case 'CreditRestored': {
      const { accountId, at, type, contractKey } = event as AccountEvent & HeldAccount;
      if (contractKey === undefined) return undefined;
      const exhausted = type === 'CreditExhausted';
      return told(accountCreditChanged, { accountId, contractKey, exhausted, at });
    }
    case 'CdrAcknowledged':
    case 'SessionLeftUnbilled':
    case 'AgreementNoted':
    case 'DisputeOpened':
    case 'DisputeAnswered':
    case 'DisputeWithdrawn':
    case 'DisputeCredited':
    case 'AccountOpened':
    case 'PlanChosen':
    case 'LimitSet':
    case 'PaymentBooked':
    case 'ChargeBooked':
    case 'ChargeHeld':
    case 'ChargeForestalled':
    case 'ChargeRefunded':
      return undefined;
  }
}

/** The log as the relay reads it: each batch of events with its private parts. */
export function withPrivateParts(store: EventStore, db: Database): EventStore {
  const opened = async (events: StoredEvent[]) => {
    const read = events.map((event) => readEvent(event));
    const found = await findPrivateParts(
      db,
      read.flatMap((event) => (sealIdOf(event) ?? [])),
    );
    const holders = await contractKeys(
      db,
      read.flatMap((event) => (isCredit(event) ? [event.accountId] : [])),
    );
    return events.map((stored, n) => {
      const event = read[n]!;
      const privateText = found.get(sealIdOf(event) ?? '')?.text;
      const contractKey = isCredit(event) ? holders.get(event.accountId) : undefined;
      return privateText === undefined && contractKey === undefined
        ? stored
        : { ...stored, data: JSON.stringify({ ...event, privateText, contractKey }) };
    });
  };
  return {
    append: (items) => store.append(items),
    read: (stream, options) => store.read(stream, options),
    at: (position) => store.at(position),
    last: () => store.last(),
    close: () => store.close(),
    readAll: async (after, limit) => opened(await store.readAll(after, limit)),
    subscribe: (after, handle, signal) =>
      store.subscribe(after, async (events) => handle(await opened(events)), signal),
  };
}

/** Whose account it is stays here. */
function sealIdOf(event: LedgerEvent): string | undefined {
  return 'private' in event && event.type !== 'AccountOpened' ? event.private?.id : undefined;
}

function isCredit(event: LedgerEvent) {
  return event.type === 'CreditExhausted' || event.type === 'CreditRestored';
}
