import { randomBytes } from 'node:crypto';
import { ClientInfo, type Location, type Party, type Tariff } from '#ocpi';
import { type Bench, inShort, ok, type Seen } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeObject, sameInstant } from '../judging.ts';
import { MEMBER, saidBy } from '../listener.ts';
import { kitLocation, kitTariff } from '../objects.ts';
import { arrived, judgeLeg } from './hub.ts';
import { joined } from './lists.ts';

/** How long a hub may wait for a member that is silent. */
const HUB_WAITS_MS = 60_000;

/** Another member of the hub: who hears what is told to everybody, since its sender does not. */
export const members: Check = {
  name: 'hub: everybody',
  of: ['hubclientinfo', 'SENDER'],
  writes: 'a second member of the hub, for the time of the check, and a Tariff for everybody that is deleted again',
  unless: ({ options }) =>
    options.memberToken === undefined
      ? 'no second registration token was given, for a member that hears what is told to everybody (--member-token)'
      : undefined,
  rules: ['TRN-81', 'HUB-04', 'HUB-11', 'HUB-12', 'HUB-16', 'HUB-17', 'HCI-01', 'HCI-04'],
  run: everybody,
};

/** What a hub says of one that is there no more: our own other party is that for a moment. */
export const absence: Check = {
  name: 'hub: out of reach',
  of: ['hubclientinfo', 'SENDER'],
  writes: 'nothing: what it sends is for the kit, which does not take it',
  rules: ['HUB-19'],
  run: outOfReach,
};

const sides = (bench: Bench) => ({ emsp: bench.party, cpo: bench.listener.cpo!, hub: bench.theirParty('HUB') });

async function everybody(bench: Bench): Promise<void> {
  const { listener } = bench;
  const { party_id } = bench.party;
  const member = { ...bench.party, party_id: `${party_id.slice(0, -1)}${party_id.endsWith('4') ? '5' : '4'}` };
  listener.member = member;
  const tokenB = randomBytes(24).toString('base64url');
  bench.keepSecret(tokenB);
  bench.keepSecret(bench.options.memberToken!);
  listener.admit(tokenB);
  const since = listener.seen.length;
  const url = bench.at('credentials', 'SENDER');
  const answer = await bench.call('POST', url, {
    module: 'credentials',
    token: bench.options.memberToken!,
    body: listener.memberCredentials(tokenB),
  });
  const token = (answer.data as { token?: unknown } | undefined)?.token;
  if (!ok(answer) || typeof token !== 'string') throw new Error(`the second member could not register: ${inShort(answer)}`);
  bench.keepSecret(token);
  try {
    const told = await arrived(bench, 'PUT', `/receiver/hubclientinfo/${member.country_code}/${member.party_id}`, since);
    if (bench.judge('HCI-04', told !== undefined, 'the new member, at those who were there', answer))
      judgeObject(bench, 'hubclientinfo', ClientInfo, told!.body, saidBy(told!));
    await heardByAll(bench, member, token);
  } finally {
    await bench.call('DELETE', url, { module: 'credentials', token });
  }
}

async function heardByAll(bench: Bench, member: Party, token: string): Promise<void> {
  const { cpo, hub } = sides(bench);
  const tariff: Tariff = { ...kitTariff(bench, 'HEARD'), ...cpo };
  const url = joined(bench.at('tariffs', 'RECEIVER'), cpo.country_code, cpo.party_id, tariff.id);
  const since = bench.listener.seen.length;
  const pushed = await bench.call('PUT', url, { module: 'tariffs', body: tariff, routing: { from: cpo, to: hub } });
  if (!ok(pushed)) return;
  const path = `${MEMBER}/receiver/tariffs/${cpo.country_code}/${cpo.party_id}/${tariff.id}`;
  const came = await arrived(bench, 'PUT', path, since);
  if (bench.judge('HUB-11', came !== undefined, "a CPO's Tariff TO the hub at an eMSP that is connected, under its owner's name", pushed)) {
    bench.judge('HUB-12', came!.path.endsWith(path), 'the owner of the object in the URL of the next leg', saidBy(came!));
    judgeLeg(bench, 'HUB-04', came!, { from: hub, to: member });
    bench.judge(
      'TRN-81',
      came!.headers['x-request-id'] !== pushed.sent.headers['X-Request-ID'],
      'a new X-Request-ID on the next leg',
      saidBy(came!),
    );
    bench.judge(
      'HUB-17',
      sameInstant((came!.body as Tariff | undefined)?.last_updated, tariff.last_updated),
      `last_updated ${tariff.last_updated} as it was sent`,
      saidBy(came!),
    );
  }
  const list = await bench.call('GET', bench.at('tariffs', 'SENDER'), { module: 'tariffs', token, routing: { from: member, to: hub } });
  const isListed =
    ok(list) &&
    Array.isArray(list.data) &&
    (wasCut(list) || (list.data as (Partial<Tariff> | null)[]).some((one) => one?.id === tariff.id));
  bench.judge('HUB-16', isListed, 'what was told to everybody, in the list that is asked of the hub', list);
  await bench.call('DELETE', url, { module: 'tariffs', routing: { from: cpo, to: hub } });
}

/** Of a long list this is not the last page. */
function wasCut({ headers }: Seen): boolean {
  return headers['link'] !== undefined;
}

async function outOfReach(bench: Bench): Promise<void> {
  const { emsp, cpo } = sides(bench);
  const { listener } = bench;
  const push = (id: string) => {
    const location: Location = { ...kitLocation(bench), ...cpo, id };
    const url = joined(bench.at('locations', 'RECEIVER'), cpo.country_code, cpo.party_id, id);
    return bench.call('PUT', url, {
      module: 'locations',
      body: location,
      routing: { from: cpo, to: emsp },
      timeoutMs: HUB_WAITS_MS,
      loose: true,
    });
  };
  listener.silent = bench.id('SILENT');
  const silent = await push(listener.silent);
  listener.silent = undefined;
  bench.judge(
    'HUB-19',
    silent.status === 4002,
    `TO a member that does not answer: 4002 within ${HUB_WAITS_MS / 1_000} s`,
    silent.http === 0 ? inShort(silent) : silent,
  );
  if (!listener.mayLeave) return;
  const away = await listener.away(async () => {
    // One that was on its way when we left may have been taken for silence.
    const first = await push(bench.id('AWAY'));
    return first.status === 4003 ? first : push(bench.id('AWAY'));
  });
  bench.judge('HUB-19', away.status === 4003, 'TO a member that is not there: 4003', away.http === 0 ? inShort(away) : away);
}
