import { AuthorizationInfo, sameId, sameParty, Token } from '#ocpi';
import { type Bench, ok } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeNotOffered, judgeNotThere, judgeObject, judgeRefused, judgeTaken, sameJson } from '../judging.ts';
import { kitToken } from '../objects.ts';
import { joined, swapped } from './lists.ts';
import { judgeCharset, pushing } from './pushed.ts';

/** The Receiver interface of Tokens. */
export const receivedTokens: Check = {
  name: 'tokens: PUT, PATCH and GET',
  of: ['tokens', 'RECEIVER'],
  writes: 'two Tokens of one uid, KIT-…-CARD, that are never valid. They cannot be deleted, and stay so',
  rules: ['TRN-07', 'TRN-10', 'TRN-11', 'TRN-30', 'TRN-60', 'TRN-61', 'TRN-62', 'TRN-71', 'TRN-72', 'TOK-01', 'TOK-02', 'TOK-13', 'TYP-08'],
  run: received,
};

async function received(bench: Bench): Promise<void> {
  const card = kitToken(bench, 'CARD', { visual_number: '17' });
  const { call, url, foreignUrl } = pushing(bench, 'tokens', card.uid);
  judgeNotThere(bench, 'TRN-30', 'GET of a Token that was never pushed', await call('GET'));
  if (!judgeTaken(bench, 'TOK-02', 'PUT of a new Token', await call('PUT', card))) return;
  const held = await call('GET', undefined, `${url}?type=RFID`);
  bench.judge('TOK-01', ok(held) && sameJson(held.data, card), 'the Token that was PUT without a type as the one of type RFID', held);
  const other = await call('GET', undefined, url.replace(card.uid, swapped(card.uid)));
  bench.judge('TRN-72', ok(other), 'the Token by its uid in letters of the other case', other);

  const last_updated = bench.tick();
  judgeTaken(bench, 'TRN-61', 'PATCH of a Token', await call('PATCH', { language: 'fr', last_updated }));
  const patched = await call('GET');
  bench.judge(
    'TRN-61',
    sameJson(patched.data, { ...card, language: 'fr', last_updated }),
    'the field of the PATCH changed, and nothing else',
    patched,
  );
  await judgeCharset(bench, 'tokens', url, { language: 'en' });
  const { visual_number: _, ...without } = { ...card, last_updated: bench.tick() };
  await call('PUT', without);
  const replaced = await call('GET');
  bench.judge(
    'TRN-60',
    ok(replaced) && ((replaced.data as Token | undefined)?.visual_number ?? null) === null,
    'no visual_number: PUT replaces, and it was left out',
    replaced,
  );

  const app: Token = { ...card, type: 'APP_USER', visual_number: '18', last_updated: bench.tick() };
  judgeTaken(bench, 'TOK-01', 'PUT of a Token of another type under the same uid', await call('PUT', app, `${url}?type=APP_USER`));
  const [rfid, user] = [await call('GET'), await call('GET', undefined, `${url}?type=APP_USER`)];
  bench.judge(
    'TOK-01',
    ok(rfid) && (rfid.data as Token | undefined)?.visual_number !== '18',
    'the RFID Token as it was, beside the APP_USER of its uid',
    rfid,
  );
  bench.judge('TOK-01', (user.data as Token | undefined)?.visual_number === '18', 'the APP_USER Token, beside the RFID of its uid', user);

  const whole = () => ({ ...card, last_updated: bench.tick() });
  judgeRefused(bench, 'TRN-62', 'PATCH of a Token without last_updated', await call('PATCH', { language: 'en' }), 2001);
  judgeRefused(bench, 'TOK-13', 'PUT of a Token without issuer', await call('PUT', { ...whole(), issuer: undefined }), 2001);
  judgeRefused(
    bench,
    'TYP-08',
    'PUT of a Token with a whitelist type in small letters',
    await call('PUT', { ...whole(), whitelist: 'never' }),
    2001,
  );
  judgeRefused(bench, 'TRN-71', 'PUT of a Token under the uid of another', await call('PUT', { ...whole(), uid: bench.id('OTHER') }), 2001);
  const broken = await call('PUT', '{"uid":');
  bench.judge('TRN-30', broken.http === 400, 'a body that is no JSON: HTTP 400', broken);
  const foreign = await call('PUT', { ...whole(), country_code: 'NL', party_id: 'ZZZ' }, foreignUrl);
  bench.judge('TRN-07', !ok(foreign), 'a Token of a party that is none of our roles is refused', foreign);
  judgeNotOffered(bench, 'TOK-02', 'DELETE of a Token', await call('DELETE'));
}

/** Real-time authorization by an eMSP. */
export const authorization: Check = {
  name: 'tokens: authorize',
  of: ['tokens', 'SENDER'],
  rules: ['TRN-30', 'TRN-72', 'TOK-01', 'TOK-03', 'TOK-04', 'TOK-05', 'TOK-06', 'TOK-08'],
  run: authorize,
};

async function authorize(bench: Bench): Promise<void> {
  const url = bench.at('tokens', 'SENDER');
  const ask = (uid: string, body?: unknown, query = '') =>
    bench.call('POST', `${joined(url, uid, 'authorize')}${query}`, { module: 'tokens', ...(body === undefined ? {} : { body }) });
  const unknown = await ask(bench.id('NOBODY'));
  bench.judge(
    'TOK-06',
    unknown.http === 404 && unknown.status === 2004 && unknown.data === undefined,
    'an unknown Token: HTTP 404 with 2004, and no data',
    unknown,
  );
  const list = await bench.call('GET', url, { module: 'tokens' });
  const tokens = (Array.isArray(list.data) ? list.data : []).flatMap((one) => Token.safeParse(one).data ?? []);
  const [known] = tokens;
  if (!known) return;
  const query = `?type=${known.type}`;
  const plain = await ask(known.uid, undefined, query);
  if (!bench.judge('TOK-05', plain.http === 200, 'HTTP 200 for a known Token, whatever is allowed', plain)) return;
  if (plain.status !== 2002) bench.judge('TOK-03', ok(plain), 'an answer about a known Token without a body', plain);
  if (ok(plain)) {
    const info = judgeAuthorization(bench, plain.data, plain);
    if (info) {
      bench.judge('TOK-04', info.location === undefined, 'no location where none was asked about', plain);
      const isSame = sameId(info.token.uid, known.uid) && info.token.type === known.type && sameParty(info.token, known);
      bench.judge('TOK-04', isSame, `the Token that was asked about, ${known.uid}`, plain);
    }
    const other = await ask(swapped(known.uid), undefined, query);
    bench.judge('TRN-72', ok(other), `an answer about the Token ${known.uid} in letters of the other case`, other);
  }
  const location = { location_id: bench.id('PLACE'), evse_uids: [bench.id('EVSE')] };
  const { uid, type } = tokens.find(({ valid }) => valid) ?? known;
  const there = await ask(uid, location, `?type=${type}`);
  bench.judge('TOK-08', ok(there), 'an answer about a Location that the eMSP may not know', there);
  if (ok(there)) {
    const info = judgeAuthorization(bench, there.data, there);
    if (info?.allowed === 'ALLOWED' && info.location)
      bench.judge(
        'TOK-04',
        sameId(info.location.location_id, location.location_id) &&
          (info.location.evse_uids ?? []).every((uid) => location.evse_uids.some((asked) => sameId(uid, asked))),
        'the Location that was asked about, and none of its EVSEs that was not',
        there,
      );
  }
  judgeRefused(bench, 'TOK-03', 'LocationReferences without a location_id', await ask(known.uid, { evse_uids: ['1'] }, query), 2001);
  const elsewhere = known.type === 'OTHER' ? 'AD_HOC_USER' : 'OTHER';
  if (tokens.some(({ uid, type }) => sameId(uid, known.uid) && type === elsewhere)) return;
  const other = await ask(known.uid, undefined, `?type=${elsewhere}`);
  bench.judge('TOK-01', !ok(other), `no Token of type ${elsewhere} for the uid of one of type ${known.type}`, other);
}

function judgeAuthorization(bench: Bench, data: unknown, seen: Parameters<Bench['judge']>[3]): AuthorizationInfo | undefined {
  const reading = AuthorizationInfo.safeParse(data);
  if (!bench.judge('TOK-04', reading.success, 'an AuthorizationInfo with what is allowed, and the Token', seen))
    return void judgeObject(bench, 'tokens', AuthorizationInfo, data, seen);
  return reading.data;
}
