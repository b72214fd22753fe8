/**
 * What differs between the OCPP-J versions on the wire. The negotiated version is a property of the
 * connection (J-11): message types, spellings of errors and the schema set all follow from it.
 */
export type OcppVersion = 'ocpp1.6' | 'ocpp2.0.1' | 'ocpp2.1';

/** Why a CALL is answered by a CALLERROR, in our words; `errorCode` spells it for the peer. */
export type Fault =
  | 'not-implemented'
  | 'not-supported'
  | 'internal'
  | 'protocol'
  | 'security'
  | 'formation'
  | 'property'
  | 'occurrence'
  | 'type'
  | 'generic'
  | 'message-type'
  | 'framework';

export const messageTypes = { call: 2, result: 3, error: 4, resultError: 5, send: 6 } as const;

export interface Dialect {
  readonly version: OcppVersion;
  readonly codes: Readonly<Record<Fault, string>>;
  readonly types: ReadonlySet<number>;
  /** J-22: 1.6 allows `null` where a payload is empty. */
  readonly nullPayload: boolean;
  /** J-52: 2.x answers a message whose id cannot be read with the id "-1"; 1.6 has no such id. */
  readonly answersUnreadable: boolean;
  /** J-24: only 2.0.1 answers a message type it does not know; 1.6 and 2.1 drop it. */
  readonly answersUnknownType: boolean;
}

const spellings = {
  'not-implemented': 'NotImplemented',
  'not-supported': 'NotSupported',
  internal: 'InternalError',
  protocol: 'ProtocolError',
  security: 'SecurityError',
  formation: 'FormatViolation',
  property: 'PropertyConstraintViolation',
  occurrence: 'OccurrenceConstraintViolation',
  type: 'TypeConstraintViolation',
  generic: 'GenericError',
  'message-type': 'MessageTypeNotSupported',
  framework: 'RpcFrameworkError',
} as const satisfies Record<Fault, string>;

// OCPP-J 1.6 errata: the two misspellings of 1.6 are frozen; the last two codes do not exist there.
const spellings16 = {
  ...spellings,
  formation: 'FormationViolation',
  occurrence: 'OccurenceConstraintViolation',
  'message-type': 'NotSupported',
  framework: 'FormationViolation',
} as const satisfies Record<Fault, string>;

export const dialects: Readonly<Record<OcppVersion, Dialect>> = {
  'ocpp1.6': {
    version: 'ocpp1.6',
    codes: spellings16,
    types: new Set([2, 3, 4]),
    nullPayload: true,
    answersUnreadable: false,
    answersUnknownType: false,
  },
  'ocpp2.0.1': {
    version: 'ocpp2.0.1',
    codes: spellings,
    types: new Set([2, 3, 4]),
    nullPayload: false,
    answersUnreadable: true,
    answersUnknownType: true,
  },
  'ocpp2.1': {
    version: 'ocpp2.1',
    codes: spellings,
    types: new Set([2, 3, 4, 5, 6]),
    nullPayload: false,
    answersUnreadable: true,
    answersUnknownType: false,
  },
};

/** The spelling of the negotiated version (J-50). */
export function errorCode(version: OcppVersion, fault: Fault): string {
  return dialects[version].codes[fault];
}

const faultOfCode = new Map<string, Fault>([
  ...(Object.entries(spellings) as [Fault, string][]).map(
    ([fault, code]) => [code, fault] as const,
  ),
  ['FormationViolation', 'formation'],
  ['OccurenceConstraintViolation', 'occurrence'],
]);

/**
 * What a peer's error code means: either spelling in any version, `undefined` for one nobody knows
 * (J-50).
 */
export function faultOf(code: string): Fault | undefined {
  return faultOfCode.get(code);
}
