import { CommandResponse, CommandResult, type CommandType, headerText, unwrapped } from '#ocpi';
import { type Bench, ok, type Seen } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeNotOffered, judgeRefused } from '../judging.ts';
import type { Incoming } from '../listener.ts';
import { kitToken } from '../objects.ts';
import { joined } from './lists.ts';

const RESULT_MS_MAX = 60_000;
/** How long after the result of a START_SESSION its Session may come. */
const SESSION_MS = 10_000;

/** Commands that start nothing: about places and sessions that are not there. */
export const commands: Check = {
  name: 'commands: refusals',
  of: ['commands', 'RECEIVER'],
  writes: 'nothing: its commands name places and sessions that are not there',
  rules: ['TRN-10', 'TRN-30', 'CMD-01', 'CMD-02', 'CMD-04', 'CMD-05', 'CMD-06', 'CMD-08', 'CMD-11', 'CMD-12'],
  run: refusals,
};

/** A charge that is really started, where somebody said that it may be. */
export const charge: Check = {
  name: 'commands: a charge',
  of: ['commands', 'RECEIVER'],
  writes: 'a charge at the EVSE of --charge-at, with a Token that was never pushed; it is stopped again',
  unless: ({ options }) => (options.chargeAt === undefined ? 'no EVSE was named at which a charge may be started (--charge-at LOCATION/EVSE)' : undefined),
  rules: ['TRN-23', 'TRN-80', 'TRN-82', 'CMD-01', 'CMD-02', 'CMD-03', 'CMD-04', 'CMD-06', 'CMD-07', 'SES-09'],
  run: start,
};

class Commander {
  private count = 0;

  constructor(private readonly bench: Bench) {}

  async send(command: string, body: object, more: object = {}): Promise<{ seen: Seen; path: string; results: () => Incoming[]; sentAt: number }> {
    const { bench } = this;
    this.count += 1;
    const path = `/results/${bench.run}-${this.count}`;
    const sentAt = bench.listener.seen.length;
    const seen = await bench.call('POST', joined(bench.at('commands', 'RECEIVER'), command), {
      module: 'commands', body: { response_url: `${bench.listener.url}${path}`, ...body }, ...more,
    });
    return { seen, path, sentAt, results: () => bench.listener.seen.filter((one) => one.path === path && one.method === 'POST') };
  }
}

/** A response in the envelope, judged by its schema; undefined where it says nothing. */
function responseOf(bench: Bench, seen: Seen): { result: string; timeout: number } | undefined {
  const isBare = seen.status === undefined && seen.text.includes('"result"');
  bench.judge('CMD-04', !isBare, 'a CommandResponse in the envelope', seen);
  const { result, timeout } = (seen.data ?? {}) as { result?: unknown; timeout?: unknown };
  if (typeof result !== 'string') return undefined;
  bench.judge('CMD-01', Number.isInteger(timeout), 'a timeout in whole seconds', seen);
  bench.judge('CMD-02', CommandResponse.shape.result.safeParse(result).success, 'a result that is one of the four words', seen);
  return { result, timeout: Number.isInteger(timeout) ? timeout as number : 30 };
}

async function refusals(bench: Bench): Promise<void> {
  const commander = new Commander(bench);
  const token = kitToken(bench, 'DRIVER', { valid: true, type: 'APP_USER' });
  const place = { location_id: bench.id('NOWHERE'), evse_uid: bench.id('NO-EVSE'), connector_id: '1' };
  const silent: (() => Incoming[])[] = [];
  const unknownPlace: readonly (readonly [CommandType, object])[] = [['START_SESSION', { token, location_id: place.location_id }], ['UNLOCK_CONNECTOR', place]];
  for (const [command, body] of unknownPlace) {
    const { seen, results } = await commander.send(command, body);
    const response = responseOf(bench, seen);
    if (response?.result === 'NOT_SUPPORTED' || seen.status === undefined) continue;
    bench.judge('CMD-05', seen.http < 300 && seen.status === 2003 && (response === undefined || response.result === 'REJECTED'),
      `${command} at an unknown Location: HTTP 200, 2003 and REJECTED`, seen);
    if (response?.result !== 'ACCEPTED') silent.push(results);
  }
  const stop = await commander.send('STOP_SESSION', { session_id: bench.id('NO-SESSION') });
  const response = responseOf(bench, stop.seen);
  if (response?.result !== 'NOT_SUPPORTED' && stop.seen.status !== undefined) {
    bench.judge('CMD-05', response?.result === 'UNKNOWN_SESSION', 'STOP_SESSION of an unknown Session: UNKNOWN_SESSION', stop.seen);
    if (response?.result !== 'ACCEPTED') silent.push(stop.results);
  }
  const { seen: lacking } = await commander.send('STOP_SESSION', {});
  judgeRefused(bench, 'CMD-11', 'STOP_SESSION without a session_id', lacking, 2001);
  const { seen: unnamed } = await commander.send('START_SESSION', { token, location_id: place.location_id, connector_id: '1' });
  judgeRefused(bench, 'CMD-08', 'START_SESSION with a Connector and no EVSE', unnamed);
  const foreign = await commander.send('START_SESSION', { token: { ...token, country_code: 'NL', party_id: 'ZZZ' }, location_id: place.location_id });
  const taken = (foreign.seen.data as { result?: unknown } | undefined)?.result;
  bench.judge('CMD-06', taken !== 'ACCEPTED', 'START_SESSION with a Token of another eMSP is not accepted', foreign.seen);
  const odd = await commander.send('DANCE', {});
  bench.judge('CMD-12', !ok(odd.seen) || taken === 'NOT_SUPPORTED', 'a command that is none: HTTP 404', odd.seen);
  judgeNotOffered(bench, 'TRN-10', 'GET of a command', await bench.call('GET', joined(bench.at('commands', 'RECEIVER'), 'START_SESSION'), { module: 'commands' }));
  const came = await bench.listener.until(() => silent.some((results) => results().length > 0), bench.options.patienceMs);
  const late = silent.flatMap((results) => results())[0];
  bench.judge('CMD-01', !came, 'no result behind a response that was not ACCEPTED', late ? shown(late) : stop.seen);
}

async function start(bench: Bench): Promise<void> {
  const [location_id = '', evse_uid] = bench.options.chargeAt!.split('/');
  const commander = new Commander(bench);
  const token = kitToken(bench, 'CHARGE', { valid: true, type: 'APP_USER' });
  const authorization_reference = bench.id('REF');
  const sent = await commander.send('START_SESSION', { token, location_id, authorization_reference, ...(evse_uid === undefined ? {} : { evse_uid }) });
  const early = sent.results().length > 0;
  const response = responseOf(bench, sent.seen);
  if (!response) return;
  bench.judge('CMD-06', response.result === 'ACCEPTED', 'a Token that was never pushed is for the eMSP to judge: ACCEPTED', sent.seen);
  if (response.result !== 'ACCEPTED') return;
  bench.judge('CMD-01', !early, 'the result after the response, not before', sent.seen);
  const waitMs = Math.min(RESULT_MS_MAX, response.timeout * 1_000 + 2_000);
  const came = await bench.listener.until(() => sent.results().length > 0, waitMs);
  if (!bench.judge('CMD-03', came, `a result within the ${response.timeout} s of its timeout`, sent.seen)) return;
  const [result] = sent.results();
  judgeResult(bench, result!);
  const isNew = headerText(result!.headers, 'x-request-id') !== sent.seen.sent.headers['X-Request-ID'];
  bench.judge('TRN-82', isNew, 'an X-Request-ID of its own for the callback', shown(result!));
  const session = await sessionOf(bench, token.uid);
  const found = (session?.body as { id?: string } | undefined)?.id;
  if (session === undefined || found === undefined) return;
  bench.judge('CMD-07', true, 'the Token of the command in the Session', shown(session));
  const reference = (session.body as { authorization_reference?: string }).authorization_reference;
  bench.judge('SES-09', reference === authorization_reference, `the authorization_reference of the command, ${authorization_reference}, in the Session`, shown(session));
  const stop = await commander.send('STOP_SESSION', { session_id: found });
  // Whatever it comes to: nobody is left calling a kit that has gone.
  if (responseOf(bench, stop.seen)?.result === 'ACCEPTED') await bench.listener.until(() => stop.results().length > 0, waitMs);
}

function judgeResult(bench: Bench, result: Incoming): void {
  const isBare = unwrapped(result.body) === result.body;
  bench.judge('CMD-04', isBare, 'a CommandResult as the bare body of the request', shown(result));
  bench.judge('TRN-23', isBare, 'a callback that is not wrapped', shown(result));
  bench.judge('CMD-02', CommandResult.safeParse(unwrapped(result.body)).success, 'a result that is one of the nine words', shown(result));
  bench.judge('TRN-80', headerText(result.headers, 'x-request-id') !== undefined && headerText(result.headers, 'x-correlation-id') !== undefined,
    'X-Request-ID and X-Correlation-ID in the callback', shown(result));
}

/** The Session that a command led to, of what the platform pushed or lists. */
async function sessionOf(bench: Bench, uid: string): Promise<Incoming | undefined> {
  const pushed = () => bench.listener.seen.find(({ path, body }) =>
    path.startsWith('/receiver/sessions/') && (body as { cdr_token?: { uid?: string } } | undefined)?.cdr_token?.uid === uid);
  await bench.listener.until(() => pushed() !== undefined, SESSION_MS);
  return pushed();
}

export function shown({ method, path, headers, text }: Incoming): string {
  const names = ['content-type', 'x-request-id', 'x-correlation-id', 'ocpi-from-party-id', 'ocpi-to-party-id'];
  const lines = names.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
  return [`the platform's ${method} ${path}`, ...lines, text].join('\n');
}

