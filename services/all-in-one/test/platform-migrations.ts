import type { MigrationList } from '#postgres';
import type { Migrated } from '#test-servers';
import type { ServiceName } from '../../../scripts/platform.ts';
import { migrations as ofCdrLedger } from '../../cdr-ledger/src/migrations.ts';
import { migrations as ofEvemsController } from '../../evems-controller/src/migrations.ts';
import { migrations as ofLocations } from '../../locations/src/migrations.ts';
import { migrations as ofOcpiGateway } from '../../ocpi-gateway/src/migrations.ts';
import { migrations as ofOcppGateway } from '../../ocpp-gateway/src/migrations.ts';
import { migrations as ofPortal } from '../../portal/src/migrations.ts';
import { migrations as ofSessions } from '../../sessions/src/migrations.ts';
import { migrations as ofTariffEngine } from '../../tariff-engine/src/migrations.ts';
import { migrations as ofTokensAuth } from '../../tokens-auth/src/migrations.ts';

const migrationsOf: Readonly<Record<ServiceName, MigrationList>> = {
  'tariff-engine': ofTariffEngine, locations: ofLocations, 'tokens-auth': ofTokensAuth, 'cdr-ledger': ofCdrLedger,
  sessions: ofSessions, 'ocpp-gateway': ofOcppGateway, 'evems-controller': ofEvemsController,
  'ocpi-gateway': ofOcpiGateway, portal: ofPortal,
};

/** Every service has been started once, and did nothing else. */
export const wholePlatform: Migrated = {
  what: 'platform',
  schemas: Object.fromEntries(Object.entries(migrationsOf).map(([name, migrations]) => [name.replaceAll('-', '_'), migrations])),
};
