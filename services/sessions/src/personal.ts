import type { Fields, Personal } from '#erasure';
import { type CdrToken, ERASED, erasedCdrToken, erasedToken, type Session, type Token } from '#ocpi';
import type { Task } from './command.ts';
import type { Order } from './order.ts';
import type { ReservationTerms } from './reservation.ts';

/** What the logs of this service say of persons: tokens, and references by which their owner knows them. */
export const personal: Personal = {
  fields: {
    SessionReserved: ['session.cdr_token', 'session.authorization_reference', 'snapshots.token'],
    SessionStarted: ['session.cdr_token', 'session.authorization_reference', 'snapshots.token'],
    SessionRefreshed: ['session.cdr_token', 'session.authorization_reference'],
    CostTold: ['session.cdr_token', 'session.authorization_reference'],
    // What a meter signed may name who charged.
    SignedRead: ['session.cdr_token', 'signed'],
    ChargeEnded: ['session.cdr_token', 'session.authorization_reference', 'signed'],
    SessionEnded: ['session.cdr_token', 'session.authorization_reference', 'snapshots.token', 'signedData'],
    CommandTaken: ['task.token', 'task.reference'],
    ReservationAsked: ['terms.token', 'terms.reference'],
    OrderPlaced: ['order.tokenUid', 'body.token'],
    OrderAnswered: ['order.tokenUid'],
    OrderUnsent: ['order.tokenUid'],
    OrderGivenUp: ['order.tokenUid'],
    OrderResulted: ['order.tokenUid'],
    SessionLinked: ['order.tokenUid'],
    StopFulfilled: ['order.tokenUid'],
    OrderExpired: ['order.tokenUid'],
  },

  erased(path, value) {
    switch (path) {
      case 'session.cdr_token':
        return erasedCdrToken(value as CdrToken);
      case 'snapshots.token':
      case 'body.token':
        return erasedToken(value as Token);
      case 'task.token':
      case 'terms.token':
        return JSON.stringify(erasedToken(JSON.parse(value as string) as Token));
      case 'order.tokenUid':
        return ERASED;
      default:
        return undefined;
    }
  },

  whose({ session, task, terms, order, body, at }: Fields & Partial<Said>) {
    if (session) return { subject: subjectOf(session.cdr_token), at: session.start_date_time };
    if (terms) return { subject: subjectOf(JSON.parse(terms.token) as Token), at: at! };
    if (task?.kind === 'start' || task?.kind === 'reserve')
      return { subject: subjectOf(JSON.parse(task.token) as Token), at: at! };
    if (body?.token) return { subject: subjectOf(body.token), at: order!.at };
    return order && { subject: { uid: order.tokenUid }, at: order.at };
  },
};

interface Said {
  readonly session: Session;
  readonly task: Task;
  readonly terms: ReservationTerms;
  readonly order: Order;
  readonly body: { readonly token?: Token };
  readonly at: string;
}

export function subjectOf({ country_code, party_id, contract_id: contractId, uid }: CdrToken) {
  return { party: { country_code, party_id }, contractId, uid };
}
