import { randomBytes } from 'node:crypto';

import {
  authorization, Credentials, CredentialsRole, findEndpoint, type Interface, type InterfaceRole, missingInterfaces, type ModuleId, type Party,
  read, type Role, typicalInterfaces, Version, VersionDetails,
} from '#ocpi';
import { type Bench, inShort, ok, type Seen } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeObject, judgeRefused } from '../judging.ts';
import type { Front } from '../listener.ts';
import { listed } from './tariffs.ts';

const newToken = () => randomBytes(24).toString('base64url');

/** Versions, details and credentials, before anything else: without them there is no partner to test with. */
export const first: readonly Check[] = [
  {
    name: 'versions',
    rules: [
      'TRN-01',
      'TRN-05',
      'TRN-20',
      'TRN-30',
      'TRN-80',
      'HUB-02',
      'TYP-03',
      'TYP-06',
      'VER-01',
      'VER-02',
      'VER-03',
      'VER-04',
      'VER-05',
      'TRN-04',
      'TRN-13',
    ],
    run: versions,
  },
  {
    name: 'credentials: before the registration',
    rules: ['TRN-06', 'CRE-01', 'CRE-02', 'CRE-03', 'CRE-04', 'TRN-30'],
    writes: 'registrations that have to be refused',
    run: beforehand,
  },
  {
    name: 'credentials: registration',
    rules: [
      'TRN-01',
      'TRN-02',
      'TRN-03',
      'TRN-06',
      'TRN-80',
      'HUB-02',
      'CRE-01',
      'CRE-04',
      'CRE-05',
      'CRE-09',
      'CRE-10',
    ],
    writes: 'a partner: the kit, for the time of the test',
    unless: hasNothing,
    run: registration,
  },
  {
    name: 'credentials: renewal',
    rules: ['VER-03', 'VER-06', 'CRE-01', 'CRE-04', 'CRE-06', 'CRE-07'],
    writes: 'new credentials of the kit',
    unless: needsLink,
    run: renewal,
  },
];

/** The end of the link, after everything else. */
export const last: readonly Check[] = [{
  name: 'credentials: end of the link',
  rules: ['CRE-04', 'CRE-08', 'TRN-05'],
  writes: 'nothing: it ends the partnership',
  unless: needsLink,
  run: ending,
}];

function hasNothing(bench: Bench): string | undefined {
  if (bench.endpoint('credentials', 'SENDER') === undefined) return 'the platform lists no credentials';
  return bench.ours.length > 0 ? undefined : 'the platform lists nothing that a CPO, an eMSP or a hub has';
}

function needsLink(bench: Bench): string | undefined {
  return bench.registered ? undefined : 'the kit is not registered';
}

async function versions(bench: Bench): Promise<void> {
  const { versionsUrl } = bench.options;
  const module = 'versions';
  for (const token of ['', newToken()]) {
    const stranger = await bench.call('GET', versionsUrl, { token });
    bench.judge('TRN-05', stranger.http === 401, `${token === '' ? 'no' : 'an unknown'} token: HTTP 401`, stranger);
  }
  const list = await bench.call('GET', versionsUrl, { module });
  if (ok(list)) {
    const Authorization = authorization(bench.token);
    const lower = await bench.call('GET', versionsUrl, { token: '', headers: { Authorization: Authorization.replace('Token', 'token') } });
    bench.judge('TRN-04', ok(lower), 'the scheme of Authorization in any case', lower);
    const capitals = await bench.call('GET', versionsUrl, { token: '', headers: { AUTHORIZATION: Authorization } });
    bench.judge('TRN-13', ok(capitals), 'names of headers in any case', capitals);
  }
  bench.judge('TRN-01', list.http !== 401, 'the token, Base64 of its bytes, opens the versions', list);
  if (!bench.judge('VER-01', ok(list) && Array.isArray(list.data) && list.data.length > 0, 'a list of versions', list)) return;
  const known = (list.data as unknown[]).flatMap((one) => Version.safeParse(one).data ?? []);
  const newest = known.find(({ version }) => version === '2.2.1');
  if (!bench.judge('VER-01', newest !== undefined, 'the version 2.2.1 with its absolute URL', list)) return;
  bench.detailsUrl = newest!.url;
  const answer = await bench.call('GET', newest!.url, { module });
  const details = judgeObject(bench, 'versions', VersionDetails, answer.data, answer);
  if (!details) return;
  bench.judge('VER-02', details.version === '2.2.1', 'the details of the version 2.2.1', answer);
  bench.endpoints = details.endpoints;
  bench.judge('VER-03', bench.endpoint('credentials', 'SENDER') !== undefined, 'an endpoint of credentials', answer);
  const listed = details.endpoints.map(({ identifier, role }) => `${identifier} ${role}`);
  bench.judge('VER-05', listed.filter((one) => one.startsWith('credentials ')).length <= 1, 'credentials listed once', answer);
  bench.judge('VER-02', new Set(listed).size === listed.length, 'each interface listed once', answer);
  bench.isHub = findEndpoint(details, 'hubclientinfo', 'SENDER') !== undefined;
  bench.ours = bench.isHub ? ['EMSP', 'CPO'] : counterparts(details);
  if (bench.isHub) bench.listener.cpo = secondParty(bench.party);
  bench.judge(
    'VER-04',
    isRight(details),
    'interfaces as their owners have them: a CPO RECEIVES tokens and commands, an eMSP SENDS them',
    answer,
  );
}

/** Behind a hub the kit is two parties; the other one has another last letter. */
function secondParty({ country_code, party_id }: Party): Party {
  return { country_code, party_id: `${party_id.slice(0, -1)}${party_id.endsWith('2') ? '3' : '2'}` };
}

/** The roles that we take: those whose other side the platform offers. */
function counterparts(details: VersionDetails): Role[] {
  const offers = (...some: readonly (readonly [ModuleId, InterfaceRole])[]) =>
    some.some(([module, role]) => findEndpoint(details, module, role) !== undefined);
  const isOperator = offers(['locations', 'SENDER'], ['cdrs', 'SENDER'], ['tariffs', 'SENDER'], ['tokens', 'RECEIVER']);
  // An SCSP has no more than the last two.
  const isProvider = offers(
    ['locations', 'RECEIVER'], ['cdrs', 'RECEIVER'], ['tariffs', 'RECEIVER'], ['tokens', 'SENDER'], ['sessions', 'RECEIVER'], ['chargingprofiles', 'SENDER'],
  );
  return [...(isOperator ? ['EMSP' as const] : []), ...(isProvider ? ['CPO' as const] : [])];
}

/** Interfaces turned around show when every one of a role is there, the other way. */
function isRight(details: VersionDetails): boolean {
  const has = (one: Interface) => missingInterfaces(details, [one]).length === 0;
  const isCpo = has({ module: 'locations', role: 'SENDER' }) || has({ module: 'cdrs', role: 'SENDER' });
  const isEmsp = has({ module: 'locations', role: 'RECEIVER' }) || has({ module: 'cdrs', role: 'RECEIVER' });
  const turned = (module: 'tokens' | 'commands', role: 'SENDER' | 'RECEIVER') => has({ module, role }) &&
    !has({ module, role: role === 'SENDER' ? 'RECEIVER' : 'SENDER' });
  if (isCpo && !isEmsp) return !turned('tokens', 'SENDER') && !turned('commands', 'SENDER');
  if (isEmsp && !isCpo) return !turned('tokens', 'RECEIVER') && !turned('commands', 'RECEIVER');
  return true;
}

async function beforehand(bench: Bench): Promise<void> {
  const url = bench.endpoint('credentials', 'SENDER');
  if (url === undefined) return;
  bench.listener.roles = bench.ours;
  const functional =
    bench.endpoints.find(({ identifier, role }) => identifier !== 'credentials' && role === 'SENDER') ??
    bench.endpoints.find(({ identifier }) => identifier !== 'credentials');
  if (functional) {
    const early = await bench.call('GET', functional.url);
    bench.judge('TRN-06', early.http === 401, `a registration token at ${functional.identifier}: HTTP 401`, early);
  }
  for (const method of ['PUT', 'DELETE'] as const) {
    const answer = await bench.call(method, url, {
      module: 'credentials',
      ...(method === 'PUT' ? { body: bench.listener.credentials(newToken()) } : {}),
    });
    bench.judge('CRE-04', answer.http === 405, `${method} of credentials before the registration: HTTP 405`, answer);
  }
  const post = (body: unknown) => bench.call('POST', url, { module: 'credentials', body });
  const { url: _, ...incomplete } = bench.listener.credentials(newToken());
  judgeRefused(bench, 'CRE-10', 'Credentials without a url', await post(incomplete), 2001);
  const fronts: readonly (readonly [Front, string, number, string])[] = [
    ['failing', 'CRE-01', 3001, 'a versions URL that fails'],
    ['bare', 'CRE-02', 3003, 'a platform with credentials only'],
    ['old', 'CRE-03', 3002, 'a platform that speaks 2.1.1 only'],
  ];
  for (const [front, rule, status, what] of fronts) {
    const token = newToken();
    bench.keepSecret(token);
    bench.listener.admit(token);
    const answer = await post(bench.listener.credentials(token, front));
    if (answer.http === 401) break; // The token was spent: the last call says so.
    judgeReached(bench, answer);
    bench.judge(rule, answer.http === 200 && answer.status === status, `a registration from ${what}: HTTP 200 and ${status}`, answer);
    bench.listener.tokens.delete(token);
    if (ok(answer)) return; // We are registered against its own rules: the next check will see.
  }
  const after = await bench.call('GET', bench.options.versionsUrl, { module: 'versions' });
  bench.judge('CRE-01', ok(after), 'a refused registration registers nobody: the registration token is still good', after);
}

/** Of a platform that never called us, what a registration came to says nothing of the rules. */
function judgeReached(bench: Bench, answer: Seen): void {
  if (ok(answer) || answer.status !== 3001 || bench.listener.seen.length > 0) return;
  const said = (JSON.parse(answer.text) as { status_message?: unknown }).status_message;
  bench.unreached = `${bench.listener.url}/${typeof said === 'string' ? ` (it says: ${said.slice(0, 200)})` : ''}`;
  throw new Error(`the platform could not call the kit at ${bench.listener.url}`);
}

const spent =
  'the registration token is not good any more: ask for another one, and leave out what spent it with --skip "before the registration"';

async function registration(bench: Bench): Promise<void> {
  const url = bench.endpoint('credentials', 'SENDER')!;
  const { listener } = bench;
  listener.roles = bench.ours;
  if (!bench.isHub) {
    listener.refusesPatch = true;
    listener.tariffs = listed(bench);
  }
  const tokenA = bench.token;
  const tokenB = newToken();
  bench.keepSecret(tokenB);
  listener.admit(tokenB);
  const before = listener.seen.length;
  const answer = await bench.call('POST', url, { module: 'credentials', body: listener.credentials(tokenB) });
  const calls = listener.seen.slice(before).filter(({ path }) => path.startsWith('/versions'));
  if (answer.http === 401) throw new Error(spent);
  judgeReached(bench, answer);
  if (!ok(answer)) {
    bench.judge('CRE-05', false, 'a registration by the book: HTTP 200, 1000, and Credentials', answer);
    return;
  }
  bench.judge('CRE-01', calls.some(({ path }) => path === '/versions') && calls.some(({ path }) => path === '/versions/details'),
    'our versions and their details are read before the POST is answered', answer);
  const token = (answer.data as { token?: unknown } | undefined)?.token;
  if (typeof token === 'string') bench.keepSecret(token);
  const theirs = judgeObject(bench, 'credentials', Credentials, answer.data, answer);
  bench.judge('CRE-09', typeof token === 'string' && /^[\x21-\x7e]{1,64}$/.test(token), 'a token of 1 to 64 printable characters', answer);
  if (typeof token !== 'string') return;
  bench.judge('CRE-09', token !== tokenA && token !== tokenB, 'a new token in the answer', answer);
  bench.token = token;
  // What is wrong in it was said; the rest of the test needs to know whom it talks to.
  const roles = readable((answer.data as { roles?: unknown }).roles);
  bench.theirs = theirs ?? (roles.length > 0 ? { ...(answer.data as Credentials), roles } : undefined);
  const opened = await bench.call('GET', bench.options.versionsUrl, { module: 'versions' });
  if (!bench.judge('TRN-02', ok(opened), 'the token of the answer, as it is there, opens the versions when it is sent as Base64', opened)) {
    const decoded = Buffer.from(token, 'base64').toString('utf8');
    bench.token = decoded;
    bench.keepSecret(decoded);
    if (!ok(await bench.call('GET', bench.options.versionsUrl, { module: 'versions' }))) return;
  }
  bench.registered = true;
  const dead = await bench.call('GET', bench.options.versionsUrl, { token: tokenA });
  bench.judge('TRN-06', dead.http === 401, 'the registration token is dead once the registration is answered: HTTP 401', dead);
  const again = await bench.call('POST', url, { module: 'credentials', body: listener.credentials(tokenB) });
  bench.judge('CRE-04', again.http === 405, 'POST of credentials while registered: HTTP 405', again);
  const got = await bench.call('GET', url, { module: 'credentials' });
  const credentials = read(Credentials, got.data);
  bench.judge(
    'CRE-05',
    ok(got) && credentials.ok && credentials.value.token === bench.token,
    'GET answers the Credentials by which we reach the platform',
    got,
  );
}

/** Of roles that are not all right those that say whose they are. */
function readable(roles: unknown): Credentials['roles'] {
  const named = CredentialsRole.pick({ role: true, country_code: true, party_id: true });
  return Array.isArray(roles) ? (roles as Credentials['roles']).filter((one) => named.safeParse(one).success) : [];
}

async function renewal(bench: Bench): Promise<void> {
  const url = bench.endpoint('credentials', 'SENDER')!;
  const { listener } = bench;
  const put = async (front: Front) => {
    const token = newToken();
    bench.keepSecret(token);
    listener.admit(token);
    const before = listener.seen.length;
    const answer = await bench.call('PUT', url, { module: 'credentials', body: listener.credentials(token, front) });
    return { token, answer, calls: listener.seen.slice(before) };
  };
  const failed = await put('failing');
  bench.judge(
    'CRE-01',
    failed.answer.http === 200 && failed.answer.status === 3001,
    'new credentials whose versions URL fails: HTTP 200 and 3001',
    failed.answer,
  );
  const still = await bench.call('GET', bench.options.versionsUrl, { module: 'versions' });
  bench.judge('CRE-07', ok(still), 'after a renewal that failed the old token is good', still);
  for (const [front, rule, what] of [
    ['later', 'VER-03', 'a version that 2.2.1 does not know'],
    ['own', 'VER-06', 'a module of its own'],
  ] as const) {
    const odd = await put(front);
    bench.judge(rule, ok(odd.answer), `a platform that lists ${what} disturbs nobody: HTTP 200 and 1000`, odd.answer);
    adopt(bench, odd.answer);
  }
  const { answer, calls } = await put('versions');
  if (!bench.judge('CRE-06', ok(answer), 'new credentials are taken, and answered with a new token', answer)) return;
  bench.judge('CRE-06', calls.some(({ path }) => path === '/versions') && calls.some(({ path }) => path === '/versions/details'),
    'PUT reads our versions and their details anew', answer);
  bench.judge('CRE-06', read(Credentials, answer.data).ok, 'Credentials in the answer to PUT', answer);
  const token = (answer.data as { token?: unknown } | undefined)?.token;
  if (!bench.judge('CRE-06', typeof token === 'string' && token !== bench.token, 'a new token in the answer to PUT', answer)) return;
  bench.keepSecret(token as string);
  const before = bench.token;
  bench.token = token as string;
  const opened = await bench.call('GET', bench.options.versionsUrl, { module: 'versions' });
  if (!bench.judge('CRE-06', ok(opened), 'the new token opens the versions', opened)) bench.token = before;
}

/** What a PUT that was taken answers is presented from now on. */
function adopt(bench: Bench, answer: Seen): void {
  const token = (answer.data as { token?: unknown } | undefined)?.token;
  if (!ok(answer) || typeof token !== 'string') return;
  bench.keepSecret(token);
  bench.token = token;
}

async function ending(bench: Bench): Promise<void> {
  const url = bench.endpoint('credentials', 'SENDER')!;
  const ended = await bench.call('DELETE', url, { module: 'credentials' });
  if (!bench.judge('CRE-08', ok(ended), 'DELETE of credentials ends the link: HTTP 200 and 1000', ended)) return;
  bench.registered = false;
  const dead = await bench.call('GET', bench.options.versionsUrl);
  bench.judge('CRE-08', dead.http === 401, 'the token of an ended link: HTTP 401', dead);
}

/** For those who have no registration to spend: whether the token opens a module already. */
export async function presentedAsIs(bench: Bench): Promise<string | undefined> {
  const url = bench.endpoint('credentials', 'SENDER');
  if (url === undefined) return 'the platform lists no credentials';
  const got = await bench.call('GET', url, { module: 'credentials' });
  const theirs = read(Credentials, got.data);
  if (theirs.ok) bench.theirs = theirs.value;
  const listed = bench.endpoints.find(
    ({ identifier, role }) => role === 'SENDER' && typicalInterfaces.CPO.some((one) => one.module === identifier),
  );
  if (listed && (await bench.call('GET', listed.url, { loose: true })).http === 401)
    return `the token opens no module (it is a registration token): ${inShort(got)}`;
  return undefined;
}

