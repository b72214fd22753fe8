import type { MikroORM, Options } from '@mikro-orm/postgresql';
import { withSettings } from './database.ts';

export interface OrmOptions {
  readonly url: string;
  /** A schema that `openDatabase` has prepared; the connections act as its role. */
  readonly schema: string;
  readonly entities: NonNullable<Options['entities']>;
  /** Connections at most (default 3); they are opened when they are needed. */
  readonly poolMax?: number;
}

/**
 * MikroORM on a service's schema, for administrative aggregates: entities by `defineEntity`, tables by the
 * service's own migrations. Fork its `em` for each piece of work; close it before the database.
 * Hot paths stay with `Database`: reading a row through entities costs about three times as much.
 */
export async function openOrm({ url, schema, entities, poolMax = 3 }: OrmOptions): Promise<MikroORM> {
  const { MikroORM: Orm } = await import('@mikro-orm/postgresql');
  return new Orm({
    clientUrl: url,
    driverOptions: {
      connectionString: withSettings(url, {
        search_path: schema, role: `roamwatt_${schema}`, timezone: 'UTC', statement_timeout: 30_000,
      }),
    },
    entities,
    pool: { min: 0, max: poolMax },
  });
}
