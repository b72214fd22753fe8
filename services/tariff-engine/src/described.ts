import { type Bus, Unanswered } from '#bus';
import { listTariffUses } from '#contracts/locations';
import { addDue, type Due, type DueOutcome } from '#due';
import { idKey, type Tariff } from '#ocpi';
import type { Database } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import type { TariffEngine } from './tariff-engine.ts';

export interface DescribedParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly engine: TariffEngine;
  readonly log: Log;
}

const EVSES_NAMED = 5;
const RETRY_MS = { shortest: 500, longest: 60_000 };

/**
 * The tariffs that the settings describe. One that they do not have any more is withdrawn, once no
 * Connector names it: until then sessions there still need it (TAR-01).
 */
export class DescribedTariffs {
  constructor(private readonly parts: DescribedParts) {}

  /** Takes in the settings at a start. Throws Rejected for a tariff that cannot be published. */
  async describe(tariffs: readonly Partial<Tariff>[], onRefusal: (id: string) => (error: unknown) => never) {
    const { engine, db, clock } = this.parts;
    for (const tariff of tariffs) {
      await engine.publish(tariff, { source: 'settings' }).catch(onRefusal(tariff.id ?? ''));
    }
    const ids = tariffs.map(({ id = '' }) => id);
    const keys = ids.map(idKey);
    await db.tx(async (tx) => {
      // Replicas start at the same time: each row is taken out once.
      await tx.query('LOCK TABLE described IN SHARE ROW EXCLUSIVE MODE');
      const { rows: gone } = await tx.query<{ tariff_id: string }>(
        'DELETE FROM described WHERE NOT (tariff_key = ANY ($1)) RETURNING tariff_id',
        [keys],
      );
      const at = clock.now();
      for (const { tariff_id: tariffId } of gone) {
        const key = `withdraw ${idKey(tariffId)}`;
        await addDue(tx, { id: `${key} ${at}`, key, kind: 'withdraw', at, body: { tariffId } });
      }
      await tx.query(
        `INSERT INTO described (tariff_key, tariff_id) SELECT * FROM unnest($1::text[], $2::text[])
         ON CONFLICT DO NOTHING`,
        [keys, ids],
      );
    });
  }

  /** Who reads the log of a start learns what was mistyped, before it costs money. */
  async warnOfUnpublished(named: readonly { readonly id: string; readonly evses: readonly string[] }[]): Promise<void> {
    const { engine, log } = this.parts;
    for (const { id, evses } of named) {
      if (await engine.findOwn(id)) continue;
      log.warn('Connectors name a tariff that nobody published: a charge by it alone is free', {
        tariff: id, evses: evses.slice(0, EVSES_NAMED), count: evses.length,
      });
    }
  }

  warnOfFree(evses: readonly string[]): void {
    if (evses.length === 0) return;
    this.parts.log.warn('Connectors have tariffs for some alone: a charge by anybody else\'s card is free', {
      evses: evses.slice(0, EVSES_NAMED), count: evses.length,
    });
  }

  /** Work on one that is to be withdrawn. */
  async withdraw({ at, body }: Due, attempt: number): Promise<DueOutcome> {
    const { bus, engine, log } = this.parts;
    const { tariffId } = body as { tariffId: string };
    if (await this.isDescribed(tariffId)) return 'done';
    const retryInMs = Math.min(RETRY_MS.shortest * 2 ** Math.min(attempt, 10), RETRY_MS.longest);
    try {
      const { total } = await bus.ask(listTariffUses, { tariffId });
      if (total > 0) {
        log.warn('a tariff that the settings dropped is still offered: Connectors name it', { tariff: tariffId, connectors: total });
        return { retryInMs };
      }
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      return { retryInMs };
    }
    await engine.withdrawDropped(tariffId, at);
    return 'done';
  }

  private async isDescribed(tariffId: string): Promise<boolean> {
    const { rowCount } = await this.parts.db.query('SELECT 1 FROM described WHERE tariff_key = $1', [idKey(tariffId)]);
    return rowCount > 0;
  }
}
