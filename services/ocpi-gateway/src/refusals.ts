import { type Answer, answers } from '#ocpi';
import { passes, Refused, TooLarge } from '#bus';
import { Rejected } from '#decider';
import type { HandshakeRefusal } from './partners/handshake.ts';

/** What the owners of the objects refuse with, and what this edge itself does. */
export type OcpiRefusal =
  | HandshakeRefusal
  | 'unknown-location'
  | 'unknown-evse'
  | 'unknown-connector'
  | 'unknown-session'
  | 'unknown-token'
  | 'unknown-tariff'
  | 'unknown-cdr'
  | 'unknown-order'
  | 'not-capable'
  | 'invalid-object'
  | 'session-is-final'
  | 'cdr-differs-from-recorded'
  | 'credit-without-reference'
  | 'already-registered'
  | 'not-authorized'
  | 'not-approved'
  | 'foreign-party'
  | 'foreign-object'
  | 'id-differs'
  | 'not-found'
  | 'not-json'
  | 'body-encoded'
  | 'body-too-large'
  | 'invalid-parameters'
  | 'bad-request'
  | 'method-not-allowed'
  | 'too-many-requests'
  | 'unknown-token-to-authorize'
  | 'location-needed'
  | 'unknown-receiver'
  | 'receiver-timeout'
  | 'receiver-not-connected'
  | 'hub-error';

/** How OCPI hears of each refusal. */
export const refusals: Readonly<Record<OcpiRefusal, Answer>> = {
  'partner-unreachable': answers.clientApiUnusable,
  'no-common-version': answers.unsupportedVersion,
  'endpoints-missing': answers.endpointsMissing,
  'registration-refused': answers.refused,
  'party-not-invited': answers.refused,
  'unknown-partner': answers.notFound,
  'unknown-letter': answers.notFound,
  'no-such-quirk': answers.notFound,
  'unknown-location': answers.notFound,
  'unknown-evse': answers.notFound,
  'unknown-connector': answers.notFound,
  'unknown-session': answers.notFound,
  'unknown-token': answers.notFound,
  'unknown-tariff': answers.notFound,
  'unknown-cdr': answers.notFound,
  'unknown-order': answers.notFound,
  'not-capable': { http: 404, status: 2001 },
  'invalid-object': answers.invalid,
  'session-is-final': answers.invalid,
  'cdr-differs-from-recorded': answers.invalid,
  'credit-without-reference': answers.invalid,
  'already-registered': answers.methodNotAllowed,
  'not-registered': answers.methodNotAllowed,
  'not-authorized': answers.unauthorized,
  'not-approved': { http: 403, status: 2000 },
  'foreign-party': answers.notFound,
  'foreign-object': answers.invalid,
  'id-differs': answers.invalid,
  'not-found': answers.notFound,
  'not-json': answers.notJson,
  'body-encoded': { http: 415, status: 2001 },
  'body-too-large': answers.bodyTooLarge,
  'invalid-parameters': answers.invalid,
  'bad-request': { http: 400, status: 2000 },
  'method-not-allowed': answers.methodNotAllowed,
  'too-many-requests': answers.tooManyRequests,
  'unknown-token-to-authorize': answers.unknownToken,
  'location-needed': answers.notEnoughInformation,
  'unknown-receiver': answers.unknownReceiver,
  'receiver-timeout': answers.receiverTimeout,
  'receiver-not-connected': answers.receiverNotConnected,
  'hub-error': answers.hubError,
};

export function refuse(code: OcpiRefusal, detail: string): Rejected<OcpiRefusal> {
  return new Rejected(code, detail);
}

export interface Failure {
  readonly answer: Answer;
  readonly message: string;
  /** Not the partner's doing: for our log, never on the wire. */
  readonly bug: boolean;
}

/** Any error as OCPI's answer. What no refusal names is a fault of ours: 3000, and not a word of it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Rejected || error instanceof Refused) {
    const code: string = error.code;
    if (Object.hasOwn(refusals, code)) {
      return { answer: refusals[code as OcpiRefusal], message: error.detail || code, bug: false };
    }
  }
  if (error instanceof TooLarge) {
    return { answer: answers.bodyTooLarge, message: `the object is too long: it has ${error.bytes} bytes`, bug: false };
  }
  const message = passes(error) ? 'The request could not be processed now; try again later' : 'Server error';
  return { answer: answers.serverError, message, bug: true };
}
