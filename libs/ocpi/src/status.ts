/** The status codes of OCPI 2.2.1; 4xxx are a hub's own and hub errors only. */
export const statusCodes = {
  success: 1000,
  clientError: 2000,
  invalidParameters: 2001,
  notEnoughInformation: 2002,
  unknownLocation: 2003,
  unknownToken: 2004,
  serverError: 3000,
  clientApiUnusable: 3001,
  unsupportedVersion: 3002,
  endpointsMissing: 3003,
  hubError: 4000,
  unknownReceiver: 4001,
  receiverTimeout: 4002,
  receiverNotConnected: 4003,
} as const;

export type StatusCode = (typeof statusCodes)[keyof typeof statusCodes];

const meanings: Record<StatusCode, string> = {
  1000: 'Success',
  2000: 'The request was refused',
  2001: 'Invalid or missing parameters',
  2002: 'Not enough information',
  2003: 'Unknown Location',
  2004: 'Unknown Token',
  3000: 'Server error',
  3001: 'The client\'s API cannot be used',
  3002: 'Unsupported version',
  3003: 'No matching endpoints, or expected endpoints are missing',
  4000: 'Hub error',
  4001: 'Unknown receiver: the TO address is unknown',
  4002: 'The receiver did not answer the forwarded request in time',
  4003: 'The receiver is not connected',
};

/** What a status code says when there is nothing more to say; also for the custom ranges. */
export function statusMeaning(code: number): string {
  return (meanings as Record<number, string>)[code] ?? `OCPI status code ${code}`;
}

/** 1xxx: the exchange worked. 1900 to 1999 are custom successes. */
export function isSuccess(code: number): boolean {
  return code >= 1000 && code < 2000;
}

/** How an edge answers: the HTTP status and the OCPI status code. */
export interface Answer {
  readonly http: number;
  readonly status: StatusCode;
}

/**
 * The answers that OCPI's text names (TRN, section 1.4 and 1.5). An edge maps its own refusals onto these
 * with one total table, `Record<Refusal, Answer>`: a new refusal does not compile until it has an answer.
 */
export const answers = {
  /** Done, or the object pushed was known. */
  ok: { http: 200, status: 1000 },
  /** The object pushed is new; a CDR has its Location header. */
  created: { http: 201, status: 1000 },
  /** JSON that parses, from a known sender, with wrong content: never an HTTP error. */
  invalid: { http: 200, status: 2001 },
  refused: { http: 200, status: 2000 },
  notEnoughInformation: { http: 200, status: 2002 },
  unknownLocation: { http: 200, status: 2003 },
  /** authorize of an unknown token: both codes hold. TOK-06. */
  unknownToken: { http: 404, status: 2004 },
  /** A GET, PATCH or child of an object that does not exist; a URL with a foreign party. */
  notFound: { http: 404, status: 2001 },
  notJson: { http: 400, status: 2001 },
  bodyTooLarge: { http: 413, status: 2001 },
  /** No or unknown token; TOKEN_A on a module. TRN-05, TRN-06. */
  unauthorized: { http: 401, status: 2001 },
  methodNotAllowed: { http: 405, status: 2000 },
  tooManyRequests: { http: 429, status: 2000 },
  serverError: { http: 200, status: 3000 },
  clientApiUnusable: { http: 200, status: 3001 },
  unsupportedVersion: { http: 200, status: 3002 },
  endpointsMissing: { http: 200, status: 3003 },
  hubError: { http: 200, status: 4000 },
  unknownReceiver: { http: 200, status: 4001 },
  receiverTimeout: { http: 200, status: 4002 },
  receiverNotConnected: { http: 200, status: 4003 },
} as const satisfies Record<string, Answer>;
