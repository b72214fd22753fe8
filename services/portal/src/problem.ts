import { Refused, TooLarge, Unanswered } from '#bus';
import { DatabaseFailure } from '#postgres';

/** What a caller is told when a request is not carried out. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly status: number,
    readonly code: string,
    /** What, where, and what to do. */
    readonly detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(`${code}: ${detail}`);
  }
}

/** Refusals of the services behind, by their code; any other refusal is a conflict (409). */
const statusOfRefusal: Readonly<Record<string, number>> = {
  'unknown-location': 404,
  'unknown-evse': 404,
  'unknown-connector': 404,
  'unknown-session': 404,
  'unknown-reservation': 404,
  'reservation-of-another-driver': 404,
  'unknown-order': 404,
  'unknown-cdr': 404,
  'unknown-line': 404,
  'shows-costs': 403,
  'unknown-account': 404,
  'unknown-charge': 404,
  'accounts-not-kept': 404,
  'unknown-site': 404,
  'unknown-partner': 404,
  'unknown-letter': 404,
  'no-such-quirk': 400,
  'unknown-token': 404,
  'unknown-head': 404,
  'unknown-projection': 404,
  'unknown-tariff': 404,
  'unknown-dispute': 404,
  'unknown-contract': 404,
  'unknown-erasure': 404,
  'session-of-another-driver': 404,
  'connector-required': 400,
  malformed: 400,
  'invalid-object': 400,
  'invalid-cursor': 400,
  'partner-unreachable': 502,
  'no-common-version': 502,
  'endpoints-missing': 502,
  'registration-refused': 502,
  internal: 500,
  'too-large': 500,
  unanswered: 503,
  'service-not-answering': 503,
  overloaded: 503,
  'too-late': 503,
};

/** Any error as a problem; `undefined` for a bug, whose words are for the log only. A hub has no service but the gateway. */
export function problemOf(error: unknown, { isHub = false } = {}): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof Refused) {
    const status = statusOfRefusal[error.code] ?? 409;
    const detail = error.code === 'internal' ? 'a service behind the portal failed' : error.detail || error.code;
    return new Problem(status, error.code, detail, status === 503 ? { 'retry-after': '1' } : {});
  }
  if (error instanceof Unanswered) {
    const service = error.subject.split('.')[2] ?? 'a service';
    if (isHub && service !== 'ocpi-gateway' && error.reason === 'offline' && !error.isCutOff)
      return new Problem(503, 'offline', `a hub has no ${service}: it passes on what its members say, and keeps neither charges nor bills`);
    const [notThere, late] = error.isCutOff
      ? [`there is no connection to the NATS server, so that ${service} cannot be asked`, `the connection to the NATS server was lost before ${service} answered`]
      : [`${service} is not there to answer`, `${service} did not answer in time`];
    return error.reason === 'offline'
      ? new Problem(503, 'offline', `${notThere}; nothing was done, try again`, { 'retry-after': '2' })
      : new Problem(504, 'no-answer', `${late}; look before you try again`);
  }
  if (error instanceof TooLarge) return new Problem(500, 'too-large', error.message);
  if (error instanceof DatabaseFailure) {
    return new Problem(503, 'database-unavailable', 'the database cannot be used now; try again', { 'retry-after': '2' });
  }
  return undefined;
}

/** What Fastify itself refuses before a handler sees it. */
export function problemOfFastify(error: { code?: string; statusCode?: number; message?: string }): Problem | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE': return new Problem(413, 'body-too-large', 'a body has at most 64 kB');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem(415, 'not-json', 'content-type: a body is application/json');
    case 'FST_ERR_CTP_EMPTY_JSON_BODY': return new Problem(400, 'invalid-request', 'body: is missing');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem(400, 'invalid-request', 'content-length: is not the length of the body');
    default: break;
  }
  const { statusCode } = error;
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  return new Problem(statusCode, 'invalid-request', error.message ?? 'the request cannot be read');
}
