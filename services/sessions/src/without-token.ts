import type { Marks } from '#erasure';
import { erasedCdrToken, type Session } from '#ocpi';
import { subjectOf } from './personal.ts';

/** A Session as it is once the contract that charged is erased. */
export function withoutToken({ authorization_reference: _, ...session }: Session): Session {
  return { ...session, cdr_token: erasedCdrToken(session.cdr_token) };
}

/** Whether a Session, as it comes, is of a contract that was erased since it began. */
export function isErasedSession(marks: Marks, { cdr_token, start_date_time }: Session): boolean {
  return marks.isErased(subjectOf(cdr_token), start_date_time);
}
