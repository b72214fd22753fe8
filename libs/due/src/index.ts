export { addDue, type Due, openDue, type OpenDue, rouseAtCommit, rouseDue } from './due.ts';
export type { Hold } from './hold.ts';
export { dueMigrations } from './migrations.ts';
export {
  type DueHandler,
  type DueOutcome,
  type DueWorker,
  workDue,
  type WorkOptions,
} from './work.ts';
