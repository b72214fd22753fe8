export { AppendRefused, LIMITS, type RefusedAppend } from './bounds.ts';
export { type Codec, jsonCodec, type JsonEvent } from './codec.ts';
export { eventId } from './event-id.ts';
export {
  type Executed, type Executor, executor, type ExecutorOptions, type Loaded, RepeatNotRecognised,
  StreamContended,
} from './execute.ts';
export { memoryEventStore } from './memory.ts';
export { eventStoreMigrations } from './migrations.ts';
export {
  type AppendItem, type AppendOutcome, type EventStore, type NewEvent, NO_POSITION, type StoredEvent,
} from './port.ts';
export { postgresEventStore } from './postgres.ts';
export { TooManyWaiting } from './turns.ts';
