import { inForceMa, mayDrawMa } from './charger.ts';
import { confirmedMa, type Plan, type SiteState } from './plan.ts';
import type { Moment } from './lease.ts';
import type { Site } from './feeder.ts';
import { siteMa } from './active-profile.ts';

/** A plan for people, kept as JSON in the site's row. */
export interface Explained {
  readonly exposedMa: number;
  readonly limits: readonly ExplainedLimit[];
}

export interface ExplainedLimit {
  readonly stationId: string;
  readonly connectorId: number;
  readonly wantsPower: boolean;
  readonly targetMa: number;
  readonly confirmedMa: number;
  readonly exposedMa: number;
  readonly why: string;
  /** Whether the confirmed limit is in force for sure. */
  readonly isClear?: boolean;
  /** What the site would give it without a charging profile. */
  readonly siteMa?: number;
}

/** The chargers in the site's order, as they are once the step's orders have been sent. */
export function explained({ site, chargers, ...state }: SiteState, plan: Plan, now: Moment): Explained {
  const limits = [...chargers.values()].map((one): ExplainedLimit => {
    const target = plan.targets.find(({ key }) => key === one.charger.key);
    const exposedMa = mayDrawMa(one, site, now);
    return {
      stationId: one.charger.stationId,
      connectorId: one.charger.connectorId,
      wantsPower: one.car.wants !== 'nothing',
      targetMa: target?.targetMa ?? exposedMa,
      confirmedMa: confirmedMa(one, site, now),
      exposedMa,
      why: target?.why ?? '',
      isClear: inForceMa(one, site, now) !== undefined,
      ...(one.car.held ? { siteMa: siteMa({ site, chargers, ...state }, one, now) } : {}),
    };
  });
  return { exposedMa: limits.reduce((sum, one) => sum + one.exposedMa, 0), limits };
}

/** What can be said of a site that nobody has looked at yet. */
export function unexplained(site: Site): Explained {
  const limits = site.chargers.map(({ stationId, connectorId }) => ({
    stationId,
    connectorId,
    wantsPower: false,
    targetMa: site.failSafeMa,
    confirmedMa: 0,
    exposedMa: site.failSafeMa,
    why: 'nobody has taken the site yet',
  }));
  return { exposedMa: site.failSafeMa * limits.length, limits };
}
