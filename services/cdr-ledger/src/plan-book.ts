import type { Database } from '#postgres';
import { BadSettings } from '#settings';
import { type Clock, instant } from '#time';
import { type PlanVersion, versionAt } from './plan.ts';

const SHOWN_PLANS = 20;

/** Every version of every plan that ever held here, also of plans that the settings forgot, and those still to come. */
export class PlanBook {
  private constructor(private readonly versions: ReadonlyMap<string, readonly PlanVersion[]>) {}

  /**
   * Notes what the settings say. Throws BadSettings for a version that is in force already and now
   * reads differently: drivers were charged by it.
   */
  static async open(db: Database, given: readonly PlanVersion[], clock: Clock): Promise<PlanBook> {
    for (const version of given) await note(db, version, clock.now());
    const { rows } = await db.query<PlanVersion>(
      'SELECT plan_id AS "planId", name, valid_from AS "from", terms FROM retail_plans',
    );
    const nowMs = clock.now();
    const isTakenBack = ({ planId, from }: PlanVersion) =>
      instant(from) > nowMs && !given.some((one) => one.planId === planId && one.from === from);
    const versions = new Map<string, readonly PlanVersion[]>();
    for (const [planId, all] of Map.groupBy(rows, (version) => version.planId)) {
      const left = all.filter((version) => !isTakenBack(version));
      // A plan's first version holds before it is in force, too: some driver may have it.
      versions.set(planId, left.length > 0 ? left : all);
      if (left.length > 0) for (const version of all.filter(isTakenBack)) await takeBack(db, version);
    }
    return new PlanBook(versions);
  }

  has(planId: string): boolean {
    return this.versions.has(planId);
  }

  /** The ids that there are, for whoever named another. */
  get named(): string {
    const ids = [...this.versions.keys()].sort();
    return ids.slice(0, SHOWN_PLANS).join(', ') + (ids.length > SHOWN_PLANS ? ` and ${ids.length - SHOWN_PLANS} more` : '');
  }

  /** The version that holds for a charge that begins at an instant (RFC 3339). */
  at(planId: string, startedAt: string): PlanVersion {
    const version = versionAt(this.versions.get(planId) ?? [], instant(startedAt), instant);
    if (!version) throw new Error(`there is no plan ${planId}`);
    return version;
  }
}

async function note(db: Database, { planId, name, from, terms }: PlanVersion, nowMs: number): Promise<void> {
  const text = JSON.stringify(terms);
  const mayChange = instant(from) > nowMs;
  const { rows } = await db.query<{ terms: string }>(
    `INSERT INTO retail_plans (plan_id, valid_from, name, terms) VALUES ($1, $2, $3, $4::json)
     ON CONFLICT (plan_id, valid_from) DO UPDATE
       SET name = excluded.name, terms = CASE WHEN $5 THEN excluded.terms ELSE retail_plans.terms END
     RETURNING terms::text AS terms`,
    [planId, from, name, text, mayChange],
  );
  if (rows[0]?.terms !== text) {
    throw new BadSettings(
      `retail.plans: the version ${planId} of ${from} is in force and reads differently than before; add one with a later date`,
    );
  }
}

/** Announced, and dropped from the settings before any charge was priced by it. */
async function takeBack(db: Database, { planId, from }: PlanVersion): Promise<void> {
  await db.query('DELETE FROM retail_plans WHERE plan_id = $1 AND valid_from = $2', [planId, from]);
}
