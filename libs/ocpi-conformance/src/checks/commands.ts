import { setTimeout } from 'node:timers/promises';
import { type Cdr, CommandResponse, CommandResult, type CommandType, dateTimeOf, headerText, sameId, type Token, unwrapped } from '#ocpi';
import { type Bench, ok, type Seen } from '../bench.ts';
import { type Callback, callback, judgeSilence, resultMs, resultWithin } from '../callback.ts';
import type { Check } from '../check.ts';
import { isSeconds, judgeNotOffered, judgeRefused } from '../judging.ts';
import { type Incoming, saidBy } from '../listener.ts';
import { kitToken } from '../objects.ts';
import { profiled } from './charging-profiles.ts';
import { joined } from './lists.ts';

/** A result that comes before its response is answered after so long: who waits for that before it responds shows by it. */
const HELD_MS = 1_000;
/** A response that was overtaken by less was on its way, held up by a proxy, say. */
const EARLY_MS = 750;
/** How long after the result of a STOP_SESSION the CDR is waited for. */
const CDR_MS = 20_000;
/** How long after the result of a START_SESSION its Session may come. */
const SESSION_MS = 10_000;

/** Commands that start nothing: about places and sessions that are not there. */
export const commands: Check = {
  name: 'commands: refusals',
  of: ['commands', 'RECEIVER'],
  writes: 'nothing: its commands name places and sessions that are not there',
  rules: ['TRN-10', 'TRN-30', 'CMD-01', 'CMD-02', 'CMD-04', 'CMD-05', 'CMD-06', 'CMD-08', 'CMD-09', 'CMD-11', 'CMD-12'],
  run: refusals,
};

/** A charge that is really started, where somebody said that it may be. */
export const charge: Check = {
  name: 'commands: a charge',
  of: ['commands', 'RECEIVER'],
  writes:
    'a reservation, then a charge with a profile, at the EVSE of --charge-at, with Tokens that were never pushed; all of it is ended again',
  unless: ({ options }) =>
    options.chargeAt === undefined
      ? 'no EVSE was named at which a charge may be started (--charge-at LOCATION/EVSE)'
      : undefined,
  rules: [
    'TRN-23',
    'TRN-80',
    'TRN-82',
    'CMD-01',
    'CMD-02',
    'CMD-03',
    'CMD-04',
    'CMD-06',
    'CMD-07',
    'CMD-09',
    'CMD-11',
    'SES-09',
    'SES-20',
    'CDR-09',
    'CDR-10',
    'CHP-01',
    'CHP-02',
  ],
  run: start,
};

class Commander {
  constructor(private readonly bench: Bench) {}

  async send(command: string, body: object): Promise<{ seen: Seen; back: Callback; isEarly: boolean }> {
    const { bench } = this;
    const { held } = bench.listener;
    const back = callback(bench);
    const answer = bench.call('POST', joined(bench.at('commands', 'RECEIVER'), command), {
      module: 'commands', body: { response_url: back.url, ...body },
    });
    held.set(back.path, Promise.race([answer.catch(() => {}), setTimeout(HELD_MS, undefined, { ref: false })]));
    const seen = await answer;
    held.delete(back.path);
    return { seen, back, isEarly: back.results().some(({ at }) => at < Date.now() - EARLY_MS) };
  }
}

/** A response in the envelope, judged by its schema; undefined where it says nothing. */
function responseOf(bench: Bench, seen: Seen): { result: string; timeout: number } | undefined {
  const isBare = seen.status === undefined && seen.text.includes('"result"');
  bench.judge('CMD-04', !isBare, 'a CommandResponse in the envelope', seen);
  const { result, timeout } = (seen.data ?? {}) as { result?: unknown; timeout?: unknown };
  if (typeof result !== 'string') return undefined;
  bench.judge('CMD-01', isSeconds(timeout), 'a timeout in whole seconds', seen);
  bench.judge('CMD-02', CommandResponse.shape.result.safeParse(result).success, 'a result that is one of the four words', seen);
  return { result, timeout: isSeconds(timeout) ? timeout : 30 };
}

async function refusals(bench: Bench): Promise<void> {
  const commander = new Commander(bench);
  const token = kitToken(bench, 'DRIVER', { valid: true, type: 'APP_USER' });
  const place = { location_id: bench.id('NOWHERE'), evse_uid: bench.id('NO-EVSE'), connector_id: '1' };
  const reservation = {
    token,
    reservation_id: bench.id('NO-RES'),
    location_id: place.location_id,
    expiry_date: dateTimeOf(Math.floor(bench.options.now() / 1_000) * 1_000 + 3_600_000),
  };
  const silent: Callback[] = [];
  const unknownPlace: readonly (readonly [CommandType, object])[] = [
    ['START_SESSION', { token, location_id: place.location_id }], ['UNLOCK_CONNECTOR', place], ['RESERVE_NOW', reservation],
  ];
  for (const [command, body] of unknownPlace) {
    const { seen, back } = await commander.send(command, body);
    const response = responseOf(bench, seen);
    if (response?.result === 'NOT_SUPPORTED' || seen.status === undefined) continue;
    bench.judge('CMD-05', seen.http < 300 && seen.status === 2003 && (response === undefined || response.result === 'REJECTED'),
      `${command} at an unknown Location: HTTP 200, 2003 and REJECTED`, seen);
    if (response?.result !== 'ACCEPTED') silent.push(back);
  }
  const stop = await commander.send('STOP_SESSION', { session_id: bench.id('NO-SESSION') });
  const response = responseOf(bench, stop.seen);
  if (response?.result !== 'NOT_SUPPORTED' && stop.seen.status !== undefined) {
    bench.judge('CMD-05', response?.result === 'UNKNOWN_SESSION', 'STOP_SESSION of an unknown Session: UNKNOWN_SESSION', stop.seen);
    if (response?.result !== 'ACCEPTED') silent.push(stop.back);
  }
  await incomplete(bench, commander, { token, place, reservation });
  const odd = await commander.send('DANCE', {});
  bench.judge('CMD-12', !ok(odd.seen), 'a command that is none: HTTP 404', odd.seen);
  judgeNotOffered(
    bench,
    'TRN-10',
    'GET of a command',
    await bench.call('GET', joined(bench.at('commands', 'RECEIVER'), 'START_SESSION'), { module: 'commands' }),
  );
  await judgeSilence(bench, 'CMD-01', silent);
  await cancelNothing(bench, commander);
}

async function incomplete(
  bench: Bench,
  commander: Commander,
  { token, place, reservation }: { token: Token; place: { location_id: string }; reservation: object },
): Promise<void> {
  const wrong: readonly (readonly [rule: string, what: string, command: CommandType, body: object])[] = [
    ['CMD-01', 'STOP_SESSION without a response_url', 'STOP_SESSION', { session_id: bench.id('NO-SESSION'), response_url: undefined }],
    ['CMD-11', 'STOP_SESSION without a session_id', 'STOP_SESSION', {}],
    ['CMD-11', 'UNLOCK_CONNECTOR without a connector_id', 'UNLOCK_CONNECTOR', { ...place, connector_id: undefined }],
    ['CMD-11', 'CANCEL_RESERVATION without a reservation_id', 'CANCEL_RESERVATION', {}],
    ['CMD-09', 'RESERVE_NOW without an expiry_date', 'RESERVE_NOW', { ...reservation, expiry_date: undefined }],
    ['CMD-09', 'RESERVE_NOW without a reservation_id', 'RESERVE_NOW', { ...reservation, reservation_id: undefined }],
  ];
  for (const [rule, what, command, body] of wrong) {
    const { seen } = await commander.send(command, body);
    // Who does not have a command need not look what is in it.
    if (resultIn(seen) !== 'NOT_SUPPORTED') judgeRefused(bench, rule, what, seen, 2001);
  }
  const { seen: unnamed } = await commander.send('START_SESSION', {
    token,
    location_id: place.location_id,
    connector_id: '1',
  });
  const isRejected = ['REJECTED', 'NOT_SUPPORTED'].includes(resultIn(unnamed) as string);
  if (isRejected) bench.judge('CMD-08', true, 'START_SESSION with a Connector and no EVSE is refused', unnamed);
  else judgeRefused(bench, 'CMD-08', 'START_SESSION with a Connector and no EVSE', unnamed);
  const foreign = { ...token, country_code: 'NL', party_id: 'ZZZ' };
  for (const [command, body] of [
    ['START_SESSION', { token: foreign, location_id: place.location_id }],
    ['RESERVE_NOW', { ...reservation, token: foreign }],
  ] as const) {
    const { seen } = await commander.send(command, body);
    bench.judge(
      'CMD-06',
      resultIn(seen) !== 'ACCEPTED',
      `${command} with a Token of another eMSP is not accepted`,
      seen,
    );
  }
}

function resultIn({ data }: Seen): unknown {
  return (data as { result?: unknown } | undefined)?.result;
}

/** What was never reserved may be refused at once, or be told by the result. */
async function cancelNothing(bench: Bench, commander: Commander): Promise<void> {
  const { seen, back } = await commander.send('CANCEL_RESERVATION', { reservation_id: bench.id('NO-RES') });
  const response = responseOf(bench, seen);
  if (response?.result !== 'ACCEPTED') return;
  const result = await resultWithin(bench, 'CMD-03', { seen, back, timeoutS: response.timeout });
  if (!result) return;
  judgeResult(bench, result);
  bench.judge(
    'CMD-11',
    (unwrapped(result.body) as { result?: unknown } | undefined)?.result !== 'ACCEPTED',
    'a reservation that was never made is not cancelled',
    saidBy(result),
  );
}

/** A reservation at an EVSE where charges may be started, and its end; where the station takes none nothing is judged. */
async function reserve(bench: Bench, commander: Commander, place: { location_id: string; evse_uid?: string | undefined }): Promise<void> {
  const token = kitToken(bench, 'RESERVE', { valid: true, type: 'APP_USER' });
  const reservation_id = bench.id('RES');
  const expiry_date = dateTimeOf(Math.floor(bench.options.now() / 1_000) * 1_000 + 600_000);
  const result = async (command: CommandType, body: object) => {
    const { seen, back } = await commander.send(command, body);
    const response = responseOf(bench, seen);
    if (response?.result !== 'ACCEPTED') return undefined;
    const first = await resultWithin(bench, 'CMD-03', { seen, back, timeoutS: response.timeout });
    if (!first) return undefined;
    judgeResult(bench, first);
    return { seen, word: (unwrapped(first.body) as { result?: unknown } | undefined)?.result };
  };
  const made = await result('RESERVE_NOW', { token, reservation_id, expiry_date, ...place });
  if (made?.word !== 'ACCEPTED') return;
  const session = await sessionOf(bench, token.uid);
  const status = (session?.body as { status?: unknown } | undefined)?.status;
  bench.judge(
    'CMD-09',
    status === 'RESERVATION',
    'a Session with the status RESERVATION of what is reserved',
    session ? saidBy(session) : made.seen,
  );
  const cancelled = await result('CANCEL_RESERVATION', { reservation_id });
  if (cancelled) bench.judge('CMD-11', cancelled.word === 'ACCEPTED', 'what was reserved is let go', cancelled.seen);
}

async function start(bench: Bench): Promise<void> {
  const [location_id = '', evse_uid] = bench.options.chargeAt!.split('/');
  const commander = new Commander(bench);
  const token = kitToken(bench, 'CHARGE', { valid: true, type: 'APP_USER' });
  const authorization_reference = bench.id('REF');
  await reserve(bench, commander, { location_id, ...(evse_uid === undefined ? {} : { evse_uid }) });
  const sent = await commander.send('START_SESSION', {
    token,
    location_id,
    authorization_reference,
    ...(evse_uid === undefined ? {} : { evse_uid }),
  });
  const response = responseOf(bench, sent.seen);
  if (!response) return;
  bench.judge('CMD-06', response.result === 'ACCEPTED', 'a Token that was never pushed is for the eMSP to judge: ACCEPTED', sent.seen);
  if (response.result !== 'ACCEPTED') return;
  bench.judge('CMD-01', !sent.isEarly, 'the result after the response, not before', sent.seen);
  const result = await resultWithin(bench, 'CMD-03', { ...sent, timeoutS: response.timeout });
  if (!result) return;
  judgeResult(bench, result);
  const isNew = headerText(result.headers, 'x-request-id') !== sent.seen.sent.headers['X-Request-ID'];
  bench.judge('TRN-82', isNew, 'an X-Request-ID of its own for the callback', saidBy(result));
  const session = await sessionOf(bench, token.uid);
  const found = (session?.body as { id?: string } | undefined)?.id;
  if (session === undefined || found === undefined) return;
  bench.judge('CMD-07', true, 'the Token of the command in the Session', saidBy(session));
  const reference = (session.body as { authorization_reference?: string }).authorization_reference;
  bench.judge(
    'SES-09',
    reference === authorization_reference,
    `the authorization_reference of the command, ${authorization_reference}, in the Session`,
    saidBy(session),
  );
  await profiled(bench, found);
  const stop = await commander.send('STOP_SESSION', { session_id: found });
  // Whatever it comes to: nobody is left calling a kit that has gone.
  if (responseOf(bench, stop.seen)?.result !== 'ACCEPTED') return;
  if (await bench.listener.until(() => stop.back.results().length > 0, resultMs(response.timeout))) await billed(bench, found, token.uid, reference);
}

/** The CDR of the charge, where it comes while we wait; what else is in it is judged with all that was pushed. */
async function billed(bench: Bench, sessionId: string, uid: string, reference: string | undefined): Promise<void> {
  const pushed = () => bench.listener.seen.find(({ path, body }) =>
    path.startsWith('/receiver/cdrs') && (body as { cdr_token?: { uid?: string } } | undefined)?.cdr_token?.uid === uid);
  await bench.listener.until(() => pushed() !== undefined, CDR_MS);
  const cdr = pushed();
  if (cdr === undefined) return;
  const { session_id, authorization_reference } = cdr.body as Partial<Cdr>;
  bench.judge('CDR-09', session_id !== undefined && sameId(session_id, sessionId), `the session_id ${sessionId} in the CDR of the charge`, saidBy(cdr));
  bench.judge('CDR-10', authorization_reference === reference, `the authorization_reference of the Session, ${reference}, in its CDR`, saidBy(cdr));
}

function judgeResult(bench: Bench, result: Incoming): void {
  const isBare = unwrapped(result.body) === result.body;
  bench.judge('CMD-04', isBare, 'a CommandResult as the bare body of the request', saidBy(result));
  bench.judge('TRN-23', isBare, 'a callback that is not wrapped', saidBy(result));
  bench.judge('CMD-02', CommandResult.safeParse(unwrapped(result.body)).success, 'a result that is one of the nine words', saidBy(result));
  bench.judge(
    'TRN-80',
    headerText(result.headers, 'x-request-id') !== undefined &&
      headerText(result.headers, 'x-correlation-id') !== undefined,
    'X-Request-ID and X-Correlation-ID in the callback',
    saidBy(result),
  );
}

/** The Session that a command led to, of what the platform pushed or lists. */
async function sessionOf(bench: Bench, uid: string): Promise<Incoming | undefined> {
  const pushed = () => bench.listener.seen.find(({ path, body }) =>
    path.startsWith('/receiver/sessions/') && (body as { cdr_token?: { uid?: string } } | undefined)?.cdr_token?.uid === uid);
  await bench.listener.until(() => pushed() !== undefined, SESSION_MS);
  return pushed();
}
