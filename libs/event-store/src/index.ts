export { AppendRefused, LIMITS, type RefusedAppend } from './bounds.ts';
export { memoryEventStore } from './memory.ts';
export { eventStoreMigrations } from './migrations.ts';
export {
  type AppendItem, type AppendOutcome, type EventStore, type NewEvent, NO_POSITION, type StoredEvent,
} from './port.ts';
export { postgresEventStore } from './postgres.ts';
