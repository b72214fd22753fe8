import type { Due, DueOutcome } from '#due';
import { partyText } from '#ocpi';
import type { Database } from '#postgres';
import { clientKey } from './client-info-rows.ts';
import type { HubMembers } from './members.ts';
import { objectsAfter } from './objects.ts';
import { endpointOf } from '../partners/partner.ts';
import { findPartner } from '../partners/partner-rows.ts';
import { lockLinks } from '../pushes/pushed-rows.ts';
import { type Push, pushOf, queueAll } from '../pushes/queue-rows.ts';

/** Queues what a new member is to have: who is there (HCI-04), and what was told to everybody, Tariffs first. */
export class HubPushAll {
  constructor(private readonly parts: { readonly db: Database; readonly members: HubMembers }) {}

  async run({ body, at }: Due): Promise<DueOutcome> {
    const { db, members } = this.parts;
    const partner = await findPartner(db, (body as { partnerId: string }).partnerId);
    if (partner?.state !== 'registered') return 'done';
    if (endpointOf(partner, 'hubclientinfo', 'RECEIVER') !== undefined) {
      const infos = await members.seenBy(partner);
      const own = infos.map(({ info }) =>
        pushOf({ partnerId: partner.id, module: 'hubclientinfo', objectKey: clientKey(info) }, JSON.stringify(info)),
      );
      await db.tx(async (tx) => {
        await lockLinks(tx, 'together');
        await queueAll(tx, { own }, at);
      });
    }
    for (const module of ['tariffs', 'locations', 'tokens'] as const) {
      if (endpointOf(partner, module, 'RECEIVER') === undefined) continue;
      for (let after = '0'; ;) {
        const page = await objectsAfter(db, module, after);
        if (page.length === 0) break;
        await db.tx(async (tx) => {
          await lockLinks(tx, 'together');
          const own: Push[] = [];
          for (const { object, text } of page) {
            const listeners = await members.listeners(tx, object.owner, module);
            if (!listeners.some(({ id }) => id === partner.id)) continue;
            own.push(pushOf({ partnerId: partner.id, module, objectKey: `${partyText(object.owner)} ${object.key}` }, text));
          }
          await queueAll(tx, { own }, at);
        });
        after = page.at(-1)!.at;
      }
    }
    return 'done';
  }
}
