import type { MigrationList } from '#postgres';
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

export const migrationsOf: Readonly<Record<ServiceName, MigrationList>> = {
  'tariff-engine': ofTariffEngine, locations: ofLocations, 'tokens-auth': ofTokensAuth, 'cdr-ledger': ofCdrLedger,
  sessions: ofSessions, 'ocpp-gateway': ofOcppGateway, 'evems-controller': ofEvemsController,
  'ocpi-gateway': ofOcpiGateway, portal: ofPortal,
};
