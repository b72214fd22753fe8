import { holdLease, type Lease } from '#bus';
import { Rejected } from '#decider';
import { type Explained, unexplained } from './explained.ts';
import type { Site } from './feeder.ts';
import { type OwnerParts, SiteOwner } from './site-owner.ts';
import { planOf } from './site-rows.ts';

export type Refusal = 'unknown-site';

export interface EvemsParts extends OwnerParts {
  readonly sites: readonly Site[];
  /** How long a silent owner keeps its sites, real time. */
  readonly ownerTtlMs: number;
}

export interface ExplainedSite extends Explained {
  readonly site: Site;
  readonly ownerEpoch: number;
}

/** The service's verbs. Each site has one owner among all replicas. */
export class EvemsController {
  private readonly owners = new Map<string, SiteOwner>();
  private leases: Lease[] = [];

  constructor(private readonly parts: EvemsParts) {}

  start(): void {
    this.leases = this.parts.sites.map((site) => this.hold(site));
  }

  async stop(): Promise<void> {
    await this.stopOwners();
    await Promise.all(this.leases.map((lease) => lease.release()));
    // A site may have become ours while the owners stopped.
    await this.stopOwners();
  }

  /** A station told something. Where the site is another process's, that one looks soon anyway. */
  stationChanged(stationId: string): void {
    for (const site of this.parts.sites) {
      if (site.chargers.some((charger) => charger.stationId === stationId))
        this.owners.get(site.id)?.poke();
    }
  }

  /** Of the feeder that a station hangs on. */
  voltageOf(stationId: string): number {
    const at = (site: Site) => site.chargers.some((charger) => charger.stationId === stationId);
    return this.parts.sites.find(at)?.feeder.voltageV ?? Number.NaN;
  }

  async explain(siteId: string): Promise<ExplainedSite> {
    const site = this.parts.sites.find(({ id }) => id === siteId);
    if (!site) throw new Rejected<Refusal>('unknown-site', `site_id: there is no site ${siteId}`);
    const row = await planOf(this.parts.db, siteId);
    const plan = row?.plan ? (JSON.parse(row.plan) as Explained) : unexplained(site);
    return { ...plan, site, ownerEpoch: row?.epoch ?? 0 };
  }

  private async stopOwners(): Promise<void> {
    await Promise.all([...this.owners.values()].map((owner) => owner.stop()));
  }

  private hold(site: Site): Lease {
    const { db, log, ownerTtlMs } = this.parts;
    return holdLease(db, `site-${site.id}`, {
      ttlMs: ownerTtlMs,
      onOwned: (epoch) => {
        log.info('has the site now', { site: site.id, epoch: Number(epoch) });
        this.owners.set(site.id, new SiteOwner(this.parts, site, Number(epoch)));
      },
      onLost: () => {
        log.warn('has lost the site', { site: site.id });
        void this.owners.get(site.id)?.stop();
        this.owners.delete(site.id);
      },
      onError: (error) => log.warn('cannot ask for the site', { site: site.id, error }),
    });
  }
}
