export { Erasing, type ErasingParts, type Forgetting, type Held } from './erasing.ts';
export { ErasureFactsController } from './erasure-facts.controller.ts';
export { type Holder, isTokenOf, type Subject, toldHolder } from './holder.ts';
export { HolderKeys } from './holder-keys.ts';
export { Marks } from './marks.ts';
export { erasureMigrations, sealingMigrations } from './migrations.ts';
export { type Fields, type Personal, type SealedBy, sealedStore } from './sealed-store.ts';
