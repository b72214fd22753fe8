import type { Fields, Personal, Subject } from '#erasure';
import { ERASED, erasedToken, type Token } from '#ocpi';
import type { OrderedStart, SignedMeterReading, Start } from './station-events.ts';

/** What the journal says of persons: cards that were shown, tokens that were let charge. */
export const personal: Personal = {
  fields: {
    StartOrdered: ['order.idTag', 'order.token', 'order.reference'],
    TransactionStarted: ['idTag', 'authorization.token', 'authorization.reference'],
    TransactionStopped: ['idTag', 'signed'],
    MeterRead: ['signed'],
  },

  erased(path, value) {
    switch (path) {
      case 'order.token':
      case 'authorization.token':
        return JSON.stringify(erasedToken(JSON.parse(value as string) as Token));
      case 'order.idTag':
      case 'idTag':
        return ERASED;
      default:
        return undefined;
    }
  },

  whose({ order, idTag, authorization, signed, startedAt, stoppedAt, at }: Fields & Partial<Said>) {
    const token = order?.token ?? authorization?.token;
    const uid = idTag ?? namedIn(signed);
    const subject = token === undefined ? uid !== undefined && { uid } : subjectOf(JSON.parse(token) as Token);
    return subject ? { subject, at: (startedAt ?? stoppedAt ?? at ?? signed?.[0]?.at)! } : undefined;
  },
};

/** Whom a meter's signed records name (OCMF: ID); most name nobody. */
function namedIn(signed: readonly SignedMeterReading[] = []): string | undefined {
  return signed.map(({ text }) => /"ID"\s*:\s*"([^"]+)"/.exec(text)?.[1]).find((id) => id !== undefined);
}

interface Said extends Pick<Start, 'idTag' | 'authorization' | 'startedAt'> {
  readonly order: OrderedStart;
  readonly stoppedAt: string;
  readonly signed: readonly SignedMeterReading[];
  readonly at: string;
}

function subjectOf({ country_code, party_id, contract_id: contractId, uid }: Token): Subject {
  return { party: { country_code, party_id }, contractId, uid };
}
