import type { Bus } from '#bus';
import type { Page } from '#contracts/party';
import { listLocations } from '#contracts/locations';
import { listTariffs } from '#contracts/tariff-engine';
import { listTokens } from '#contracts/tokens-auth';
import type { Due, DueOutcome } from '#due';
import type { Token } from '#ocpi';
import type { Database } from '#postgres';
import type { Log } from '#telemetry';
import { tokenKey } from './delivery.ts';
import type { PushedModule } from './difference.ts';
import { endpointOf, ourInterfaces, type Partner } from './partner.ts';
import { findPartner } from './partner-rows.ts';
import { queuePush } from './pushed-rows.ts';
import type { Role } from '#ocpi';

const PAGE = 200;
const NEIGHBOUR_IS_AWAY_MS = 500;

interface Own {
  readonly module: PushedModule;
  readonly list: (bus: Bus, offset: number) => Promise<Page>;
  readonly keyOf: (object: never) => string;
}

const page = (offset: number) => ({ page: { offset, limit: PAGE } });
const byId = ({ id }: { id: string }) => id;

/** A Tariff before any Connector that names it. */
const inOrder: readonly Own[] = [
  { module: 'tariffs', list: (bus, offset) => bus.ask(listTariffs, page(offset)), keyOf: byId },
  { module: 'locations', list: (bus, offset) => bus.ask(listLocations, page(offset)), keyOf: byId },
  { module: 'tokens', list: (bus, offset) => bus.ask(listTokens, page(offset)), keyOf: (token: Token) => tokenKey(token) },
];

/**
 * Queues all that a newly registered partner is to have. Its rows take the place of this one in the
 * partner's lane: before anything that changed since.
 */
export class PushAll {
  constructor(private readonly parts: {
    readonly db: Database; readonly bus: Bus; readonly roles: readonly Role[]; readonly log: Log;
  }) {}

  async run({ body, at }: Due, attempt: number): Promise<DueOutcome> {
    const { db, log } = this.parts;
    const partner = await findPartner(db, (body as { partnerId: string }).partnerId);
    if (!partner || partner.state !== 'registered') return 'done';
    for (const own of this.wanted(partner)) {
      try {
        await this.queue(partner, own, at);
      } catch (error) {
        log.warn('a new partner is not yet sent everything', { partner: partner.name, module: own.module, attempt, error });
        return { retryInMs: NEIGHBOUR_IS_AWAY_MS };
      }
    }
    return 'done';
  }

  private wanted(partner: Partner): Own[] {
    const ours = ourInterfaces(this.parts.roles);
    return inOrder.filter(({ module }) =>
      ours.some((one) => one.module === module && one.role === 'SENDER')
      && endpointOf(partner, module, 'RECEIVER') !== undefined);
  }

  private async queue(partner: Partner, { module, list, keyOf }: Own, at: number): Promise<void> {
    const { db, bus } = this.parts;
    for (let offset = 0, total = 1; offset < total;) {
      const { objectsJson, total: all } = await list(bus, offset);
      const texts = objectsJson.map((bytes) => new TextDecoder().decode(bytes));
      await db.tx(async (tx) => {
        for (const text of texts) {
          const objectKey = keyOf(JSON.parse(text) as never);
          await queuePush(tx, { partnerId: partner.id, module, objectKey }, text, at);
        }
      });
      total = texts.length === 0 ? 0 : all;
      offset += texts.length;
    }
  }
}
