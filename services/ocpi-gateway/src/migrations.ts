import { busMigrations } from '#bus';
import { dueMigrations } from '#due';
import { erasureMigrations } from '#erasure';
import { eventStoreMigrations } from '#event-store';
import { grantMigrations } from '#grants';
import type { MigrationList } from '#postgres';
import { first } from './first-migrations.ts';
import { lanes } from './lane-migrations.ts';
import { later } from './later-migrations.ts';

export const migrations: MigrationList = [
  ...eventStoreMigrations, ...busMigrations, ...dueMigrations, ...grantMigrations, ...erasureMigrations, ...first, ...lanes, ...later,
];
