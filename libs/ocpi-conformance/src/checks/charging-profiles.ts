import {
  ActiveChargingProfile, ActiveChargingProfileResult, ChargingPreferencesResponse, ChargingProfileResponse,
  ChargingProfileResult, headerText, type Method, sameId, unwrapped,
} from '#ocpi';
import { type Bench, ok, type Seen } from '../bench.ts';
import { type Callback, callback, judgeSilence, resultWithin } from '../callback.ts';
import type { Check } from '../check.ts';
import { isSeconds, judgeNotOffered, judgeQueryRefused, judgeRefused } from '../judging.ts';
import { type Incoming, saidBy } from '../listener.ts';
import { joined } from './lists.ts';

/** How long after the result of a profile the active one may come. */
const ACTIVE_MS = 10_000;
const amps = (limit: number) => ({ charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit }] });

/** Profiles of Sessions that are not there. */
export const profiles: Check = {
  name: 'chargingprofiles: refusals',
  of: ['chargingprofiles', 'RECEIVER'],
  writes: 'nothing: its requests name Sessions that are not there',
  rules: ['TRN-10', 'TRN-30', 'CHP-01', 'CHP-04'],
  run: refusals,
};

/** Preferences of a Session that is not there. */
export const preferences: Check = {
  name: 'sessions: charging_preferences',
  of: ['sessions', 'SENDER'],
  writes: 'nothing: its requests name a Session that is not there',
  rules: ['TRN-30', 'SES-20'],
  run: preferred,
};

type Request = 'GET' | 'PUT' | 'DELETE';

class Profiler {
  constructor(
    private readonly bench: Bench,
    private readonly sessionId: string,
  ) {}

  async send(
    method: Request,
    { back = callback(this.bench), body, query }: { back?: Callback; body?: object; query?: string } = {},
  ): Promise<{ seen: Seen; back: Callback }> {
    const url = joined(this.bench.at('chargingprofiles', 'RECEIVER'), this.sessionId);
    const search = query ?? `${method === 'GET' ? 'duration=900&' : ''}response_url=${encodeURIComponent(back.url)}`;
    const whole = { charging_profile: amps(10), response_url: back.url };
    const seen =
      method === 'PUT'
        ? await this.bench.call(method, url, { module: 'chargingprofiles', body: body ?? whole })
        : await this.bench.call(method, `${url}?${search}`, { module: 'chargingprofiles' });
    return { seen, back };
  }
}

/** A response in the envelope, judged by its schema; undefined where it says nothing. */
function responseOf(bench: Bench, seen: Seen): { result: string; timeout: number } | undefined {
  const { result, timeout } = (seen.data ?? {}) as { result?: unknown; timeout?: unknown };
  if (typeof result !== 'string') return undefined;
  bench.judge('CHP-01', isSeconds(timeout), 'a timeout in whole seconds', seen);
  bench.judge('CHP-01', ChargingProfileResponse.shape.result.safeParse(result).success, 'a result that is one of the five words', seen);
  return { result, timeout: isSeconds(timeout) ? timeout : 30 };
}

async function refusals(bench: Bench): Promise<void> {
  const profiler = new Profiler(bench, bench.id('NO-SESSION'));
  const silent: Callback[] = [];
  // Whether a request is answered by its Session, or not at all, may be seen before what is wrong in it.
  const offered = new Set<Request>();
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const { seen, back } = await profiler.send(method);
    const response = responseOf(bench, seen);
    if (response?.result === 'NOT_SUPPORTED' || seen.http === 404) continue;
    offered.add(method);
    bench.judge('CHP-01', response?.result === 'UNKNOWN_SESSION', `${method} of the profile of an unknown Session: UNKNOWN_SESSION`, seen);
    if (response !== undefined && response.result !== 'ACCEPTED') silent.push(back);
  }
  const given = { response_url: `${bench.listener.url}/results/${bench.run}-WRONG` };
  const search = `response_url=${encodeURIComponent(given.response_url)}`;
  const { charging_rate_unit: _, ...unitless } = amps(10);
  const wrong: readonly (readonly [rule: string, what: string, method: Request, how: { body?: object; query?: string }])[] = [
    ['CHP-01', 'without a response_url', 'GET', { query: 'duration=900' }],
    ['CHP-01', 'without a duration', 'GET', { query: search }],
    ['CHP-01', 'without a response_url', 'DELETE', { query: '' }],
    ['CHP-01', 'without a response_url', 'PUT', { body: { charging_profile: amps(10) } }],
    ['CHP-04', 'with a limit of two decimals', 'PUT', { body: { ...given, charging_profile: amps(10.25) } }],
    ['CHP-04', 'without a unit', 'PUT', { body: { ...given, charging_profile: unitless } }],
  ];
  for (const [rule, what, method, how] of wrong) {
    if (!offered.has(method)) continue;
    const { seen } = await profiler.send(method, how);
    (how.body ? judgeRefused : judgeQueryRefused)(bench, rule, `${method} of a profile ${what}`, seen, 2001);
  }
  const url = joined(bench.at('chargingprofiles', 'RECEIVER'), bench.id('NO-SESSION'));
  judgeNotOffered(bench, 'TRN-10', 'POST of a profile', await bench.call('POST', url, { module: 'chargingprofiles', body: {} }));
  await judgeSilence(bench, 'CHP-01', silent);
}

function prefer(bench: Bench, sessionId: string, body: object): Promise<Seen> {
  return bench.call('PUT', joined(bench.at('sessions', 'SENDER'), sessionId, 'charging_preferences'), { module: 'sessions', body });
}

async function preferred(bench: Bench): Promise<void> {
  const unknown = await prefer(bench, bench.id('NO-SESSION'), { profile_type: 'REGULAR' });
  bench.judge('SES-20', !ok(unknown), 'preferences of an unknown Session are not taken', unknown);
}

/** Of a charge that runs, by its Token's owner: preferences, and a profile that is asked for, set and taken back. */
export async function profiled(bench: Bench, sessionId: string): Promise<void> {
  if (bench.endpoint('sessions', 'SENDER') !== undefined) {
    const seen = await prefer(bench, sessionId, { profile_type: 'REGULAR' });
    const isWord = ok(seen) && ChargingPreferencesResponse.safeParse(seen.data).success;
    bench.judge(
      'SES-20',
      isWord || (seen.http === 404 && seen.status === 2001),
      'the bare word of a ChargingPreferencesResponse, or HTTP 404 with 2001',
      seen,
    );
    if (isWord)
      judgeRefused(
        bench,
        'SES-20',
        'preferences with a profile_type that is none',
        await prefer(bench, sessionId, { profile_type: 'SLOW' }),
        2001,
      );
  }
  if (bench.endpoint('chargingprofiles', 'RECEIVER') === undefined) return;
  const active = () =>
    bench.listener.seen.filter(({ method, path }) => method === 'PUT' && isAt(path, '/sender/chargingprofiles/', sessionId));
  const [early] = active();
  bench.judge(
    'CHP-02',
    early === undefined,
    'no active profile of a Session for which none was set',
    early ? saidBy(early) : `Session ${sessionId}`,
  );
  const profiler = new Profiler(bench, sessionId);
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const { seen, back } = await profiler.send(method);
    const response = responseOf(bench, seen);
    if (response?.result !== 'ACCEPTED') continue;
    const result = await resultWithin(bench, 'CHP-01', { seen, back, timeoutS: response.timeout });
    if (!result) continue;
    const isAccepted = judgeResult(bench, method, seen, result) === 'ACCEPTED';
    if (method !== 'PUT' || !isAccepted) continue;
    const isTold = await bench.listener.until(() => active().length > 0, ACTIVE_MS);
    if (!bench.judge('CHP-02', isTold, 'the active profile, once a profile was set', seen)) continue;
    const [told] = active();
    bench.judge('CHP-02', ActiveChargingProfile.safeParse(told!.body).success, 'an ActiveChargingProfile as the bare body', saidBy(told!));
  }
}

/** However its segments are percent-encoded. */
function isAt(path: string, endpoint: string, id: string): boolean {
  try {
    return path.startsWith(endpoint) && sameId(decodeURIComponent(path.slice(endpoint.length)), id);
  } catch {
    return false;
  }
}

function judgeResult(bench: Bench, method: Method, seen: Seen, came: Incoming): string | undefined {
  const body = unwrapped(came.body);
  bench.judge('TRN-23', body === came.body, 'a callback that is not wrapped', saidBy(came));
  const schema = method === 'GET' ? ActiveChargingProfileResult : ChargingProfileResult;
  bench.judge('CHP-01', schema.safeParse(body).success, `a result of ${method} by its schema`, saidBy(came));
  const isNew = headerText(came.headers, 'x-request-id') !== seen.sent.headers['X-Request-ID'];
  bench.judge('TRN-82', isNew, 'an X-Request-ID of its own for the callback', saidBy(came));
  return (body as { result?: string } | undefined)?.result;
}
