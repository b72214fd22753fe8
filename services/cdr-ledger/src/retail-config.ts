import { z } from 'zod';
import { isCurrency } from '#money';
import { BadSettings, type Settings } from '#settings';
import { instant, isInstant, rfc3339 } from '#time';
import type { PlanTerms, PlanVersion } from './plan.ts';

/** What the section `retail` of roamwatt.yaml says; without it no accounts are kept. */
export interface RetailSettings {
  readonly defaultPlan: string;
  /** What a driver may owe, unless set otherwise; any amount in a currency that is not there. */
  readonly limits: Readonly<Record<string, string>>;
  /** Whether a CDR with something wrong about it is booked as it will be paid, or held back. */
  readonly flaggedCdrs: 'book' | 'hold';
  readonly versions: readonly PlanVersion[];
}

const amount = z.string().regex(/^\d{1,9}(\.\d{1,6})?$/, 'an amount as text, such as "0.50"');
const currency = z.string().refine(isCurrency, 'an ISO 4217 code, such as CAD');
const prices = z.record(currency, amount).optional();
const from = z.string().refine(isInstant, 'an instant, such as 2022-01-01T00:00:00Z');
const tax = z.enum(['of-place', 'none']).default('of-place');

const version = z.discriminatedUnion('kind', [
  z.strictObject({ from, kind: z.literal('pass-through') }),
  z.strictObject({
    from,
    kind: z.literal('mark-up'),
    per_session: prices,
    per_kwh: prices,
    percent: z.string().regex(/^\d{1,3}(\.\d{1,6})?$/, 'a percentage as text, such as "5"').optional(),
    tax,
  }),
  z.strictObject({
    from,
    kind: z.literal('flat'),
    per_session: prices,
    per_kwh: prices,
    per_hour: prices,
    tax,
  }),
]);

const retailSection = z.strictObject({
  default_plan: z.string(),
  limits: z.record(currency, amount).default({}),
  flagged_cdrs: z.enum(['book', 'hold']).default('book'),
  plans: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,35}$/, '1 to 36 lower-case letters, digits, -'),
        name: z.string().min(1).max(100),
        versions: z.array(version).min(1),
      }),
    )
    .min(1),
});

/** Undefined where there is no section `retail`. Throws BadSettings. */
export function retailSettings(settings: Settings): RetailSettings | undefined {
  const given = settings.section('retail', z.record(z.string(), z.unknown()));
  if (Object.keys(given).length === 0) return undefined;
  const section = settings.section('retail', retailSection);
  const { default_plan: defaultPlan, limits, flagged_cdrs: flaggedCdrs, plans } = section;
  const ids = plans.map(({ id }) => id);
  if (!ids.includes(defaultPlan))
    throw new BadSettings(`${settings.file}: retail.default_plan: there is no plan ${defaultPlan}; there are ${ids.join(', ')}`);
  const versions = plans.flatMap(({ id: planId, name, versions: dated }) =>
    dated.map(({ from: since, ...terms }) => ({
      planId,
      name,
      from: rfc3339(instant(since)),
      terms: termsOf(terms),
    })),
  );
  const keys = versions.map(({ planId, from: since }) => `${planId} of ${since}`);
  const twice = keys.find((key, n) => keys.indexOf(key) !== n);
  if (twice !== undefined) throw new BadSettings(`${settings.file}: retail.plans: the version ${twice} is there twice`);
  return { defaultPlan, limits, flaggedCdrs, versions };
}

type Given = z.output<typeof version>;
type GivenTerms = Given extends infer V ? (V extends Given ? Omit<V, 'from'> : never) : never;

function termsOf(terms: GivenTerms): PlanTerms {
  switch (terms.kind) {
    case 'pass-through':
      return { kind: 'pass-through' };
    case 'mark-up': {
      const { kind, per_session: perSession, per_kwh: perKwh, percent, tax: itsTax } = terms;
      return { kind, perSession, perKwh, percent, tax: itsTax };
    }
    case 'flat': {
      const { kind, per_session: perSession, per_kwh: perKwh, per_hour: perHour, tax: itsTax } = terms;
      return { kind, perSession, perKwh, perHour, tax: itsTax };
    }
  }
}
