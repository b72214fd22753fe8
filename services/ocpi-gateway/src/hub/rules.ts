import { addDue } from '#due';
import { type ClientInfo, dateTimeOf, instantMs } from '#ocpi';
import type { Tx } from '#postgres';
import type { HubSettings } from '../config.ts';
import { isPartyOf, type Partner } from '../partners/partner.ts';
import { registeredPartners } from '../partners/partner-rows.ts';
import { pushAllOf } from '../pushes/push-all.ts';
import { lockLinks, pushedTexts, takeOut, waitingOf } from '../pushes/pushed-rows.ts';
import { type Push, pushOf, queueAll } from '../pushes/queue-rows.ts';
import { clientKey } from './client-info-rows.ts';
import type { HubMembers } from './members.ts';

type Rules = Pick<HubSettings, 'only' | 'never' | 'planned'>;

/**
 * Who meets whom, and who is planned, are settings. Where they are others than at the start before, each member is told anew who is
 * there, and has what it may have: as news, or nobody would believe it who was told of an end meanwhile.
 */
export async function noteRules(tx: Tx, members: HubMembers, { only, never, planned }: Rules, now: number): Promise<void> {
  await lockLinks(tx, 'alone');
  await members.leftBehind(tx);
  const rules: Rules = { ...(only ? { only } : {}), never, planned };
  const { rows: [held] } = await tx.query<{ rules: Rules }>('SELECT rules FROM hub_rules');
  await tx.query(
    'INSERT INTO hub_rules (rules) VALUES ($1) ON CONFLICT (one) DO UPDATE SET rules = excluded.rules', [JSON.stringify(rules)],
  );
  if (!held || JSON.stringify(held.rules) === JSON.stringify(rules)) return;
  const named = concerned(held.rules, rules);
  await tx.query(
    `UPDATE client_infos SET last_updated = greatest($1, last_updated + interval '1 ms')
      WHERE $2::text[] IS NULL OR country_code || '*' || party_id = ANY ($2)`, [new Date(now), named ?? null],
  );
  const own: Push[] = [];
  for (const partner of await registeredPartners(tx)) {
    own.push(...await takenBack(tx, members, partner, now));
    await addDue(tx, pushAllOf(partner.id, now));
  }
  await queueAll(tx, { own }, now);
}

/** Parties that others see, or are seen by, otherwise; undefined: it may be any. */
function concerned(before: Rules, after: Rules): string[] | undefined {
  if ((before.only === undefined) !== (after.only === undefined)) return undefined;
  const pairs = ({ never, only = [] }: Rules) => new Set([
    ...never.map((pair) => `never ${pair.toSorted().join(' ')}`), ...only.map((pair) => `only ${pair.toSorted().join(' ')}`),
  ]);
  const [was, is] = [pairs(before), pairs(after)];
  return [...was, ...is].filter((pair) => !(was.has(pair) && is.has(pair))).flatMap((pair) => pair.split(' ').slice(1));
}

/** Of those whom a member may not meet any more it hears that they are gone, and nothing else that waits. */
async function takenBack(tx: Tx, members: HubMembers, partner: Partner, now: number): Promise<Push[]> {
  for (const key of await waitingOf(tx, partner.id)) {
    const [country_code = '', party_id = ''] = key.objectKey.split(' ')[0]!.split('*');
    if (!members.mayTell({ country_code, party_id }, partner)) await takeOut(tx, key);
  }
  const seen = new Set((await members.seenBy(partner)).map(({ info }) => clientKey(info)));
  const told = await pushedTexts(tx, partner.id, 'hubclientinfo');
  return told.flatMap(({ objectKey, current }) => {
    const info = JSON.parse(current) as ClientInfo;
    if (seen.has(objectKey) || info.status === 'SUSPENDED' || isPartyOf(partner, info)) return [];
    const gone: ClientInfo = { ...info, status: 'SUSPENDED', last_updated: dateTimeOf(Math.max(now, instantMs(info.last_updated)! + 1)) };
    return [pushOf({ partnerId: partner.id, module: 'hubclientinfo', objectKey }, JSON.stringify(gone))];
  });
}
