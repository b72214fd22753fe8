import { ClientInfo, headerText, type Location, type Party, readRouting, type Routing, sameParty } from '#ocpi';
import { type Bench, ok, refused, type Seen } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeObject, sameInstant, wholeNumber } from '../judging.ts';
import { type Incoming, saidBy } from '../listener.ts';
import { kitCdr, kitLocation, kitTariff, kitToken } from '../objects.ts';
import { joined } from './lists.ts';

/** What a hub may take to pass something on. */
const WAY_MS = 5_000;

/** A hub, as its members see it: the kit is two of them, an eMSP and a CPO that speak to each other through it. */
export const hub: Check = {
  name: 'hub: routing',
  of: ['hubclientinfo', 'SENDER'],
  writes:
    'nothing that stays: what goes to one party goes back to the kit, and a Tariff for everybody is deleted again',
  rules: [
    'TRN-40',
    'TRN-52',
    'TRN-81',
    'HUB-01',
    'HUB-04',
    'HUB-10',
    'HUB-12',
    'HUB-13',
    'HUB-14',
    'HUB-15',
    'HUB-17',
    'HUB-18',
    'HUB-19',
    'HUB-20',
    'HUB-21',
    'HUB-23',
    'HCI-01',
    'HCI-02',
  ],
  run,
};

interface Way {
  readonly bench: Bench;
  readonly emsp: Party;
  readonly cpo: Party;
  readonly hub: Party;
}

async function run(bench: Bench): Promise<void> {
  const way: Way = { bench, emsp: bench.party, cpo: bench.listener.cpo!, hub: bench.theirParty('HUB') };
  const roles = bench.theirs?.roles ?? [];
  bench.judge(
    'HUB-18',
    roles.length > 0 && roles.every(({ role }) => role === 'HUB'),
    'credentials of the hub alone, without its members',
    `roles: ${roles.map(({ role }) => role).join(', ')}`,
  );
  await clients(way);
  await toOneParty(way);
  await toNobody(way);
  await toEverybody(way);
  await openly(way);
  await calledBack(way);
}

async function clients({ bench }: Way): Promise<void> {
  const seen = await bench.call('GET', bench.at('hubclientinfo', 'SENDER'), { module: 'hubclientinfo' });
  if (!bench.judge('HCI-01', ok(seen) && Array.isArray(seen.data), 'a list of ClientInfo', seen)) return;
  bench.judge(
    'TRN-52',
    wholeNumber(seen, 'x-total-count') !== undefined && wholeNumber(seen, 'x-limit') !== undefined,
    'X-Total-Count and X-Limit',
    seen,
  );
  const infos = (seen.data as unknown[]).flatMap((one) => judgeObject(bench, 'hubclientinfo', ClientInfo, one, seen) ?? []);
  const keys = infos.map(({ country_code, party_id, role }) => `${country_code} ${party_id} ${role}`.toUpperCase());
  bench.judge('HCI-02', new Set(keys).size === keys.length, 'one ClientInfo for each role of a party', seen);
}

/** What came of it at our other party. */
export async function arrived(bench: Bench, method: string, path: string, since: number): Promise<Incoming | undefined> {
  const find = () =>
    bench.listener.seen
      .slice(since)
      .find((one) => one.method === method && one.path.toLowerCase().endsWith(path.toLowerCase()));
  await bench.listener.until(() => find() !== undefined, WAY_MS);
  return find();
}

export function judgeLeg(bench: Bench, rule: string, incoming: Incoming, { from, to }: Required<Routing>): void {
  const routing = readRouting(incoming.headers);
  const given = routing.ok ? routing.routing : {};
  const isRight = given.from !== undefined && given.to !== undefined && sameParty(given.from, from!) && sameParty(given.to, to!);
  bench.judge(rule, isRight, `FROM ${from!.party_id} and TO ${to!.party_id} on the way to the receiver`, saidBy(incoming));
}

async function toOneParty({ bench, emsp, cpo }: Way): Promise<void> {
  const location: Location = { ...kitLocation(bench), ...cpo };
  const path = `/${cpo.country_code}/${cpo.party_id}/${location.id}`;
  const url = `${bench.at('locations', 'RECEIVER').replace(/\/+$/, '')}${path}`;
  const put = (body: object, routing: Routing) => bench.call('PUT', url, { module: 'locations', body, routing });
  const since = bench.listener.seen.length;
  const seen = await put(location, { from: cpo, to: emsp });
  const came = await arrived(bench, 'PUT', path, since);
  if (!bench.judge('HUB-21', came !== undefined, 'a push to one party at the endpoint that it lists', seen)) return;
  bench.judge('HUB-12', came!.path.endsWith(path), `the owner of the object, ${path}, in the URL of the next leg`, saidBy(came!));
  judgeLeg(bench, 'HUB-04', came!, { from: cpo, to: emsp });
  const [request, correlation] = ['X-Request-ID', 'X-Correlation-ID'].map(
    (name) => [seen.sent.headers[name], headerText(came!.headers, name.toLowerCase())] as const,
  );
  bench.judge('TRN-81', request![1] !== undefined && request![0] !== request![1], 'a new X-Request-ID on the next leg', saidBy(came!));
  bench.judge('TRN-81', correlation![0] === correlation![1], `the X-Correlation-ID ${correlation![0]} on the next leg`, saidBy(came!));
  bench.judge(
    'HUB-17',
    sameInstant((came!.body as Location | undefined)?.last_updated, location.last_updated),
    `last_updated ${location.last_updated} as it was sent`,
    saidBy(came!),
  );
  bench.listener.refusing = location.id;
  const refusal = await put({ ...location, last_updated: bench.tick() }, { from: cpo, to: emsp });
  bench.listener.refusing = undefined;
  bench.judge('TRN-40', refused(refusal, 2001), "the receiver's own 2001", refusal);
  const before = bench.listener.seen.length;
  const spoofed = await put({ ...location, last_updated: bench.tick() }, { from: { country_code: 'NL', party_id: 'ZZZ' }, to: emsp });
  bench.judge(
    'HUB-23',
    !ok(spoofed) && !bench.listener.seen.slice(before).some((one) => one.path.endsWith(path)),
    'a FROM that is none of our roles is refused, and not passed on',
    spoofed,
  );
}

async function toNobody({ bench, cpo }: Way): Promise<void> {
  const tariff = { ...kitTariff(bench), ...cpo };
  const url = joined(bench.at('tariffs', 'RECEIVER'), cpo.country_code, cpo.party_id, tariff.id);
  const seen = await bench.call('PUT', url, {
    module: 'tariffs',
    body: tariff,
    routing: { from: cpo, to: { country_code: 'NL', party_id: 'ZZZ' } },
  });
  bench.judge('HUB-19', seen.status === 4001, 'TO a party that nobody knows: 4001', seen);
}

async function toEverybody({ bench, emsp, cpo, hub: to }: Way): Promise<void> {
  const one = await bench.call('GET', joined(bench.at('locations', 'SENDER'), bench.id('LOC')), {
    module: 'locations',
    routing: { from: emsp, to },
  });
  bench.judge('HUB-10', !ok(one), 'a GET of one object TO the hub is refused', one);
  const cdr = { ...kitCdr(bench, 'CDR'), ...cpo };
  const since = bench.listener.seen.length;
  const told = await bench.call('POST', bench.at('cdrs', 'RECEIVER'), { module: 'cdrs', body: cdr, routing: { from: cpo, to } });
  bench.judge(
    'HUB-13',
    !ok(told) && !bench.listener.seen.slice(since).some(({ path }) => path.includes('/cdrs')),
    'a CDR TO the hub is refused, and told nobody',
    told,
  );
  const tariff = { ...kitTariff(bench, 'FOR-ALL'), ...cpo };
  const url = joined(bench.at('tariffs', 'RECEIVER'), cpo.country_code, cpo.party_id, tariff.id);
  const pushed = await bench.call('PUT', url, { module: 'tariffs', body: tariff, routing: { from: cpo, to } });
  bench.judge('HUB-14', ok(pushed), 'a Tariff TO the hub is taken, and answered by the hub itself', pushed);
  await bench.call('DELETE', url, { module: 'tariffs', routing: { from: cpo, to } });
}

/** Without TO: the token in a CDR tells whose it is. */
async function openly({ bench, emsp, cpo }: Way): Promise<void> {
  const cdr = { ...kitCdr(bench, 'OPEN'), ...cpo, cdr_token: { ...kitCdr(bench, 'OPEN').cdr_token, ...emsp } };
  const since = bench.listener.seen.length;
  const seen = await bench.call('POST', bench.at('cdrs', 'RECEIVER'), { module: 'cdrs', body: cdr, routing: { from: cpo } });
  const came = await arrived(bench, 'POST', '/receiver/cdrs', since);
  if (!bench.judge('HUB-15', ok(seen) && came !== undefined, "a CDR without TO at the eMSP of its Token", seen)) return;
  judgeLeg(bench, 'HUB-15', came!, { from: cpo, to: emsp });
  const address = headerText(seen.headers, 'location');
  bench.judge(
    'HUB-20',
    address !== undefined && !address.startsWith(bench.listener.url),
    "a Location of the hub for the CDR, not one of the receiver's",
    seen,
  );
}

/** A response_url leads back through the hub. */
async function calledBack({ bench, emsp, cpo }: Way): Promise<void> {
  const path = `/results/${bench.run}-HUB`;
  const original = `${bench.listener.url}${path}`;
  const token = kitToken(bench, 'DRIVER', { valid: true, type: 'APP_USER' });
  const since = bench.listener.seen.length;
  const body = { response_url: original, token, location_id: bench.id('LOC') };
  const seen = await bench.call('POST', joined(bench.at('commands', 'RECEIVER'), 'START_SESSION'), {
    module: 'commands',
    body,
    routing: { from: emsp, to: cpo },
  });
  const came = await arrived(bench, 'POST', '/receiver/commands/START_SESSION', since);
  if (!bench.judge('HUB-21', came !== undefined, 'a command at the endpoint of the CPO', seen)) return;
  const given = (came!.body as { response_url?: unknown } | undefined)?.response_url;
  if (!bench.judge('HUB-20', typeof given === 'string' && given !== original, 'a response_url of the hub', saidBy(came!))) return;
  const result: Seen = await bench.call('POST', given as string, {
    module: 'commands',
    body: { result: 'REJECTED' },
    routing: { from: cpo, to: emsp },
  });
  const back = await arrived(bench, 'POST', path, since);
  bench.judge('HUB-20', ok(result) && back !== undefined, 'the result at the response_url that the eMSP gave', result);
}
