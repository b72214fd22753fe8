import type { Agreement, AgreementChanged } from '#contracts/agreements';
import { ocpiParty } from '#contracts/party';
import { type Party, partyText } from '#ocpi';
import type { MigrationList, Queryable, Tx } from '#postgres';
import type { Grants, SmartChargingGrant } from '#settlement';
import { type Granted, grantedAt, type Offer, tokenPrioritiesAt } from './offers.ts';
import { type Steering, steeringAt } from './steering.ts';
import type { GrantVersion } from './versions.ts';

export const grantMigrations: MigrationList = [
  {
    name: 'grants',
    up: () => [
      // Every version of every agreement that was told: few.
      `CREATE TABLE grants (
         partner text NOT NULL,
         version int NOT NULL,
         valid_from text NOT NULL,
         time_zone text NOT NULL,
         at text NOT NULL,
         grants json NOT NULL,
         noted bigint GENERATED ALWAYS AS IDENTITY,
         PRIMARY KEY (partner, version)
       )`,
    ],
  },
  {
    name: 'grants-of-each-party',
    // Until then a platform was one party: what it granted stays, of nobody else.
    up: () => [
      `ALTER TABLE grants ADD COLUMN own text NOT NULL DEFAULT ''`,
      'ALTER TABLE grants DROP CONSTRAINT grants_pkey, ADD PRIMARY KEY (own, partner, version)',
    ],
  },
];

interface Row {
  readonly own: string;
  readonly partner: string;
  readonly version: number;
  readonly valid_from: string;
  readonly time_zone: string;
  readonly at: string;
  readonly grants: Grants;
}

const NOTED = { name: 'grants-noted', text: `SELECT count(*) || ' ' || coalesce(max(noted), 0) AS noted FROM grants` };

/** The mirrored versions of a schema. What was read is remembered until one is added. */
export class GrantRows {
  private remembered: { readonly noted: string; readonly versions: readonly GrantVersion[] } | undefined;
  private held: (Granted & { readonly noted: string }) | undefined;

  /** `described`: what is not for all whatever was agreed on. */
  constructor(private readonly described: readonly Offer[] = []) {}

  /** Told again, it is there already. */
  async note(tx: Tx, { partner, version, agreement, at }: AgreementChanged): Promise<void> {
    const { validFrom, timeZone, grants, parties } = agreement!;
    const named = partyText(ocpiParty(partner!));
    const own = parties.map((one) => partyText(ocpiParty(one))).find((one) => one !== named);
    await tx.query(
      `INSERT INTO grants (own, partner, version, valid_from, time_zone, at, grants) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT DO NOTHING`,
      [
        own ?? '', named,
        version, validFrom, timeZone, at, JSON.stringify(grantsTold(grants)),
      ],
    );
  }

  /** What is granted at an instant, epoch ms. */
  async at(db: Queryable, atMs: number): Promise<Granted> {
    const { noted, versions } = await this.known(db);
    const { held } = this;
    if (held?.noted === noted && held.since <= atMs && atMs < (held.until ?? Infinity)) return held;
    const { offers, ...others } = grantedAt(await versions(), atMs);
    const granted = { ...others, offers: [...offers, ...this.described] };
    this.held = { ...granted, noted };
    return granted;
  }

  /** Whose Sessions smart charging service providers may see and limit at an instant, epoch ms. */
  async steering(db: Queryable, atMs: number): Promise<Steering> {
    return steeringAt(await (await this.known(db)).versions(), atMs);
  }

  private async known(db: Queryable): Promise<{ noted: string; versions: () => Promise<readonly GrantVersion[]> }> {
    // One that was added earlier may be seen later: how many there are tells, too.
    const { rows } = await db.query<{ noted: string }>(NOTED);
    const { noted } = rows[0]!;
    return {
      noted,
      versions: async () => {
        if (this.remembered?.noted === noted) return this.remembered.versions;
        const versions = await this.read(db);
        this.remembered = { noted, versions };
        return versions;
      },
    };
  }

  /** Whose card it is where several issued its uid: by partner, `CA*CPK`, at an instant, epoch ms. */
  async tokenPriorities(db: Queryable, atMs: number): Promise<ReadonlyMap<string, number>> {
    return tokenPrioritiesAt(await this.read(db), atMs);
  }

  private async read(db: Queryable): Promise<GrantVersion[]> {
    const { rows } = await db.query<Row>(
      'SELECT own, partner, version, valid_from, time_zone, at, grants FROM grants ORDER BY noted',
    );
    return rows.map(({ own, partner, version, valid_from: validFrom, time_zone: timeZone, at, grants }) =>
      ({ own, partner: partyOf(partner), version, validFrom, timeZone, at, grants }));
  }
}

function grantsTold(grants: Agreement['grants']): Grants {
  const { tariffs = [], tokenPriority = 0, locations, smartCharging = [] } = grants ?? {};
  return {
    tariffs, token_priority: tokenPriority, ...(locations ? { locations: locations.ids } : {}),
    ...(smartCharging.length > 0 ? { smart_charging: smartCharging.map(smartChargingTold) } : {}),
  };
}

function smartChargingTold({ tokenParty, contractIds, locations, consent, since, until }: Told): SmartChargingGrant {
  const { countryCode: country_code = '', partyId: party_id = '' } = tokenParty ?? {};
  return {
    token_party: { country_code, party_id }, contract_ids: contractIds, locations, consent,
    ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }),
  };
}

type Told = NonNullable<Agreement['grants']>['smartCharging'][number];

function partyOf(text: string): Party {
  const [country_code = '', party_id = ''] = text.split('*');
  return { country_code, party_id };
}
