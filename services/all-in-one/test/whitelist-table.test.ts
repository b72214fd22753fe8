import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { listPartners, listQuirks } from '#contracts/ocpi-gateway';
import { authorize, putPartnerToken } from '#contracts/tokens-auth';
import { toJsonBytes } from '#contracts';
import { exampleToken } from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { HandPartner } from '../../ocpi-gateway/test/hand-partner.ts';
import { services } from '../src/start.ts';

// TOK-09 as a whole: what a card at a station comes to, by its whitelist type, by what its eMSP says of it in real time, and by
// whether it is valid. A real eMSP's platform is asked, over HTTP.

type Row = readonly [answer: ReturnType<HandPartner['answer']>, asked: string];

const info = (more: object = {}) => ({ data: { allowed: 'ALLOWED', token: { ...exampleToken, party_id: 'CPK' }, authorization_reference: 'R1', ...more } });
const at = (...evse_uids: string[]) => info({ location: { location_id: 'the Location', evse_uids } });
/** Nobody said anything of it: the list decides where it may. */
const SILENT = 'silent';

/** What the eMSP does with the question, and what then becomes of a card that needs its yes. */
const owners: Readonly<Record<string, Row>> = {
  'says ALLOWED': [info(), 'Accepted AUTH_REQUEST'],
  'says ALLOWED at the Location': [at(), 'Accepted AUTH_REQUEST'],
  'says ALLOWED at this EVSE': [at('OTHER', 'the EVSE'), 'Accepted AUTH_REQUEST'],
  'says ALLOWED at other EVSEs': [at('OTHER'), 'Blocked AUTH_REQUEST not-here'],
  'says ALLOWED of a token of which it has the uid alone': [info({ token: { uid: '04AA' } }), 'Accepted AUTH_REQUEST'],
  'says BLOCKED, and why as a plain text': [info({ allowed: 'BLOCKED', token: undefined, info: 'stolen' }), 'Blocked AUTH_REQUEST owner-says-no'],
  'says ALLOWED somewhere that cannot be read': [info({ token: undefined, location: { evse_uids: [] } }), SILENT],
  'says BLOCKED': [info({ allowed: 'BLOCKED' }), 'Blocked AUTH_REQUEST owner-says-no'],
  'says EXPIRED': [info({ allowed: 'EXPIRED' }), 'Expired AUTH_REQUEST owner-says-no'],
  'says NO_CREDIT': [info({ allowed: 'NO_CREDIT' }), 'Blocked AUTH_REQUEST owner-says-no'],
  'says NOT_ALLOWED': [info({ allowed: 'NOT_ALLOWED' }), 'Blocked AUTH_REQUEST owner-says-no'],
  'does not know it': [{ http: 404, status: 2004 }, 'Invalid WHITELIST owner-does-not-know-it'],
  'does not know it, with HTTP 200': [{ status: 2004 }, 'Invalid WHITELIST owner-does-not-know-it'],
  'fails: HTTP 500': [{ http: 500, status: 3000 }, SILENT],
  'fails: 3000': [{ status: 3000 }, SILENT],
  'answers what is no AuthorizationInfo': [{ data: { allowed: 'PERHAPS' } }, SILENT],
  'has no way there any more (HTTP 404 without OCPI)': [{ http: 404, status: '' as never }, SILENT],
  'hangs up': ['hang up', SILENT],
  'does not answer': ['never', SILENT],
  'is down': [{}, SILENT],
};
const whitelists = ['ALWAYS', 'ALLOWED', 'ALLOWED_OFFLINE', 'NEVER'] as const;

let platform: TestPlatform;
let running: Running[];
let bus: Bus;
let plunk: HandPartner;

beforeAll(async () => {
  platform = await testPlatform({
    ocpi: { allow_private_urls: true },
    locations: [{
      id: 'BURNABY', publish: true, address: '3700 Willingdon Avenue', city: 'Burnaby', country: 'CAN', time_zone: 'America/Vancouver',
      coordinates: { latitude: '49.25120', longitude: '-123.00310' },
      evses: [{ uid: 'E1', station: 'OASIS-L2-01', connectors: [{
        id: '1', standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32, station_connector: 1,
      }] }],
    }],
  });
  running = await Promise.all(['locations', 'tokens-auth', 'ocpi-gateway'].map((name) => services[name]!(platform.env)));
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'portal' });
  plunk = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', ['SENDER tokens']);
  await plunk.register({ neighbours: { bus }, gateway: running[2]! } as never);
  for (const whitelist of whitelists) for (const valid of [true, false]) {
    const token = { ...exampleToken, country_code: 'CA', party_id: 'CPK', uid: `${whitelist}-${valid}`, type: 'RFID', whitelist, valid };
    await bus.ask(putPartnerToken, {
      party: { countryCode: 'CA', partyId: 'CPK' }, uid: token.uid, type: 'RFID', patch: false, bodyJson: toJsonBytes(token),
    });
  }
});
afterAll(async () => {
  await plunk?.close();
  await bus?.close();
  await Promise.all((running ?? []).map((one) => one.stop()));
  await platform?.drop();
});

const tap = async (idTag: string, connectorId?: number) => {
  const begun = performance.now();
  const { status, authMethod, refusal } = await bus.ask(
    authorize, { idTag, stationId: 'OASIS-L2-01', ...(connectorId === undefined ? {} : { connectorId }) }, { timeoutMs: 10_000 },
  );
  return { came: [status, authMethod, refusal].filter(Boolean).join(' '), ms: performance.now() - begun };
};

/** By the table of TOK-09, TOK-10 and D8 alone. */
function expected(whitelist: (typeof whitelists)[number], valid: boolean, asked: string): string {
  const byList = valid ? 'Accepted WHITELIST' : 'Blocked WHITELIST not-valid';
  if (whitelist === 'ALWAYS' || whitelist === 'ALLOWED') return byList;
  if (asked !== SILENT) return asked;
  return whitelist === 'ALLOWED_OFFLINE' ? byList : 'Invalid WHITELIST owner-silent';
}

test.each(Object.entries(owners))('TOK-09 TOK-10: every whitelist type, where the eMSP %s', async (what, [answer, asked]) => {
  const isDown = what === 'is down';
  const port = Number(new URL(plunk.base).port);
  plunk.seen.length = 0;
  // What it allows is named as it was asked.
  plunk.answer = () => {
    const { location_id, evse_uids } = plunk.seen.at(-1)!.body as { location_id: string; evse_uids: string[] };
    return JSON.parse(JSON.stringify(answer).replaceAll('the Location', location_id).replaceAll('the EVSE', evse_uids[0]!)) as typeof answer;
  };
  if (isDown) await plunk.close();
  const cases = whitelists.flatMap((whitelist) => [true, false].map((valid) => ({ whitelist, valid })));
  const tapped = (some: typeof cases) =>
    Promise.all(some.map(async ({ whitelist, valid }) => ({ whitelist, valid, ...(await tap(`${whitelist}-${valid}`, 1)) })));
  // Not with those for whom the eMSP is asked: what is asked in one moment is answered together.
  const taps = [...(await tapped(cases.slice(0, 4))), ...(await tapped(cases.slice(4)))];
  const row = (came: string, { whitelist, valid }: (typeof cases)[number]) => `${whitelist} valid=${valid}: ${came}`;
  expect(taps.map((one) => row(one.came, one))).toEqual(cases.map((one) => row(expected(one.whitelist, one.valid, asked), one)));
  // J-46: a station is answered in time: 5 s are the eMSP's, if it takes them.
  for (const { ms, whitelist } of taps) {
    const waits = what === 'does not answer' && ['ALLOWED_OFFLINE', 'NEVER'].includes(whitelist);
    // A busy machine takes seconds of its own.
    expect(ms).toBeLessThan(waits ? 9_500 : 4_800);
    if (waits) expect(ms).toBeGreaterThan(4_900);
  }
  // Where its yes is not needed it is not asked; else once for a tap, with the place.
  const questions = plunk.seen.filter(({ what: request }) => request.includes('/authorize'));
  expect(questions).toHaveLength(isDown ? 0 : 4);
  for (const { body } of questions) expect(body).toMatchObject({ location_id: expect.any(String), evse_uids: [expect.any(String)] });
  if (isDown) await plunk.reopen(port);
});

test('TOK-04: what is no more than sloppy in the answer of an eMSP is noted', async () => {
  const { partners: [{ partnerId } = {}] } = await bus.ask(listPartners, {});
  const seen = async () => (await bus.ask(listQuirks, { partnerId: partnerId! })).quirks.find(({ name }) => name === 'sloppy-authorizations');
  await expect.poll(async () => (await seen())?.times).toBe(8);
});

test('a card that nobody issued is Invalid, and no eMSP is asked about it', async () => {
  plunk.seen.length = 0;
  expect((await tap('NOBODY')).came).toBe('Invalid WHITELIST unknown-card');
  expect(plunk.seen).toEqual([]);
});
