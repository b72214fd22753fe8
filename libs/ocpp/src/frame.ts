import { dialects, messageTypes } from './dialect.ts';
import type { Fault, OcppVersion } from './dialect.ts';

export type Payload = Readonly<Record<string, unknown>>;

export interface Call {
  readonly type: 'call';
  readonly id: string;
  readonly action: string;
  readonly payload: Payload;
}
export interface CallResult {
  readonly type: 'result';
  readonly id: string;
  readonly payload: Payload;
}
/** `code` as the peer spelt it: `faultOf` says what it means. */
export interface CallError {
  readonly type: 'error';
  readonly id: string;
  readonly code: string;
  readonly description: string;
  readonly details: Payload;
}
/** OCPP 2.1 only: our CALLRESULT with this id was unusable for the peer (J-27). */
export interface CallResultError extends Omit<CallError, 'type'> {
  readonly type: 'result-error';
}
/** OCPP 2.1 only: never answered, even when invalid (J-28). */
export interface Send extends Omit<Call, 'type'> {
  readonly type: 'send';
}
export type Frame = Call | CallResult | CallError | CallResultError | Send;

export type FrameProblemName =
  | 'empty'
  | 'too-large'
  | 'too-deep'
  | 'not-json'
  | 'not-an-array'
  | 'type-unreadable'
  | 'type-unknown'
  | 'id-unreadable'
  | 'element-count'
  | 'action-unreadable'
  | 'payload-not-an-object'
  | 'code-unreadable';

/**
 * A frame that is none. `reply` is the CALLERROR to send back; without it nothing may be sent.
 * `fails` is the id of an own CALL whose answer this was: it has to be treated as failed (J-27).
 * `detail` names the place and the rule and never holds what was received (J-52).
 */
export interface FrameProblem {
  readonly type: 'problem';
  readonly problem: FrameProblemName;
  readonly detail: string;
  readonly reply?: string;
  readonly fails?: string;
}

export interface FrameLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
}
/** Signed meter values of 32 kB and a transaction's whole data must fit (T-20). */
export const frameLimits: FrameLimits = { bytesMax: 512 * 1024, depthMax: 24 };

// J-40 says 36; a longer id is still answered, for a refused StopTransaction is lost billing data.
const idCharsMax = 255;
const actionCharsMax = 100;

/**
 * Reads one WebSocket text message. Never throws.
 * J-20..J-24 (shape), J-27 (bad answers), J-50..J-53 (errors); OCPP 1.6J ch. 4, 2.0.1 part 4 ch. 4.
 */
export function parseFrame(
  text: string,
  version: OcppVersion,
  limits = frameLimits,
): Frame | FrameProblem {
  if (text.length === 0) return problem('empty', 'an empty message');
  if (Buffer.byteLength(text) > limits.bytesMax) {
    return unreadable(version, 'too-large', `more than ${limits.bytesMax} bytes`);
  }
  if (deeperThan(text, limits.depthMax)) {
    return unreadable(version, 'too-deep', `nested deeper than ${limits.depthMax}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return unreadable(version, 'not-json', 'the message is no JSON');
  }
  if (!Array.isArray(json))
    return unreadable(version, 'not-an-array', 'the message is no JSON array');
  return readElements(json, version);
}

function readElements(elements: readonly unknown[], version: OcppVersion): Frame | FrameProblem {
  const [type, id] = elements;
  if (typeof type !== 'number' || !Number.isInteger(type)) {
    return unreadable(version, 'type-unreadable', 'element 0 (message type) must be an integer');
  }
  const known = dialects[version].types.has(type);
  const readable = typeof id === 'string' && id.length > 0 && id.length <= idCharsMax;
  if (!known) {
    const detail = `element 0 (message type) ${type} is none of ${version}`;
    if (!dialects[version].answersUnknownType) return problem('type-unknown', detail);
    return refused(version, readable ? id : '-1', 'type-unknown', 'message-type', detail);
  }
  if (!readable) {
    const detail = `element 1 (message id) must be a string of 1 to ${idCharsMax} characters`;
    return type === messageTypes.call
      ? unreadable(version, 'id-unreadable', detail)
      : problem('id-unreadable', detail);
  }
  if (type === messageTypes.call || type === messageTypes.send)
    return readCall(elements, id, version);
  if (type === messageTypes.result) return readResult(elements, id, version);
  return readError(elements, id, type);
}

function readCall(
  elements: readonly unknown[],
  id: string,
  version: OcppVersion,
): Call | Send | FrameProblem {
  const send = elements[0] === messageTypes.send;
  const bad = (name: FrameProblemName, detail: string): FrameProblem =>
    send ? problem(name, detail) : refused(version, id, name, 'framework', detail);
  if (elements.length !== 4)
    return bad('element-count', `a CALL has 4 elements, not ${elements.length}`);
  const action = elements[2];
  if (typeof action !== 'string' || action.length === 0 || action.length > actionCharsMax) {
    return bad(
      'action-unreadable',
      `element 2 (action) must be a string of 1 to ${actionCharsMax} characters`,
    );
  }
  const payload = payloadOf(elements[3], version);
  if (!payload) return bad('payload-not-an-object', 'element 3 (payload) must be a JSON object');
  return { type: send ? 'send' : 'call', id, action, payload };
}

function readResult(
  elements: readonly unknown[],
  id: string,
  version: OcppVersion,
): CallResult | FrameProblem {
  if (elements.length !== 3) {
    return {
      ...problem('element-count', `a CALLRESULT has 3 elements, not ${elements.length}`),
      fails: id,
    };
  }
  const payload = payloadOf(elements[2], version);
  if (!payload) {
    return {
      ...problem('payload-not-an-object', 'element 2 (payload) must be a JSON object'),
      fails: id,
    };
  }
  return { type: 'result', id, payload };
}

function readError(elements: readonly unknown[], id: string, type: number): Frame | FrameProblem {
  // Stations in the field leave out the last elements; a refusal with its code says more than
  // "malformed".
  if (elements.length < 3 || elements.length > 5) {
    return {
      ...problem('element-count', `a CALLERROR has 5 elements, not ${elements.length}`),
      fails: id,
    };
  }
  const [, , code, description, details] = elements;
  if (typeof code !== 'string') {
    return { ...problem('code-unreadable', 'element 2 (error code) must be a string'), fails: id };
  }
  return {
    type: type === messageTypes.error ? 'error' : 'result-error',
    id,
    code,
    description: typeof description === 'string' ? description : '',
    details: isObject(details) ? details : {},
  };
}

function payloadOf(value: unknown, version: OcppVersion): Payload | undefined {
  if (value === null && dialects[version].nullPayload) return {};
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(name: FrameProblemName, detail: string): FrameProblem {
  return { type: 'problem', problem: name, detail };
}

function refused(
  version: OcppVersion,
  id: string,
  name: FrameProblemName,
  fault: Fault,
  detail: string,
): FrameProblem {
  return {
    ...problem(name, detail),
    reply: serialiseError(version, { id, fault, description: detail }),
  };
}

function unreadable(version: OcppVersion, name: FrameProblemName, detail: string): FrameProblem {
  if (!dialects[version].answersUnreadable) return problem(name, detail);
  return refused(version, '-1', name, 'framework', detail);
}

/** Looks at the brackets outside strings, so that no parser has to descend first. */
function deeperThan(text: string, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > depthMax) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}

/**
 * `[2,"id","Action",{…}]`. Absent optionals must be absent, not null (J-23): undefined is left out
 * by JSON.
 */
export function serialiseCall(id: string, action: string, payload: Payload): string {
  return JSON.stringify([messageTypes.call, id, action, payload]);
}

/** `[3,"id",{…}]`. */
export function serialiseResult(id: string, payload: Payload): string {
  return JSON.stringify([messageTypes.result, id, payload]);
}

/**
 * `[4,"id","Code","description",{}]`, spelt for the version; at most 255 characters of description
 * (J-53).
 */
export function serialiseError(
  version: OcppVersion,
  error: { id: string; fault: Fault; description?: string; details?: Payload },
): string {
  const description = (error.description ?? '').slice(0, 255);
  return JSON.stringify([
    messageTypes.error,
    error.id,
    dialects[version].codes[error.fault],
    description,
    error.details ?? {},
  ]);
}
