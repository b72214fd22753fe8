export { type Answering } from './answering.ts';
export { type AskOptions, type Bus, type BusOptions, connectBus } from './bus.ts';
export { ask, type AskContract, type Context, tell, type TellContract } from './contract.ts';
export { each } from './each.ts';
export { type Fact, told } from './fact.ts';
export {
  type AskFailure,
  type BusCode,
  isAskFailure,
  LARGEST_ITEM_BYTES,
  mayBeDone,
  passes,
  Refused,
  saysNo,
  TooLarge,
  Unanswered,
} from './failures.ts';
export { type AnswersHandler, type Asked, type Outcome, WrittenAnswer } from './handling.ts';
export { heardAll, type HeardOptions } from './heard-all.ts';
export {
  type Heard,
  type HeardTogether,
  type Hearing,
  hears,
  type HearsHandler,
  hearsMany,
  type HearsManyHandler,
  type Told,
} from './hearing.ts';
export { holdLease, type Lease, type LeaseOptions } from './lease.ts';
export { listen, type Listening, type ListenOptions } from './listen.ts';
export { busMigrations } from './migrations.ts';
export { Answers, Hears, HearsMany } from './nest.ts';
export { type MirroredFact, type Outbox, outbox } from './outbox.ts';
export { type ParkedKey, parkedKeys, replayParked } from './parked.ts';
export { type NatsPermissions, permissionsOf, type Talks } from './permissions.ts';
export { LogMismatch, type Relay, startRelay } from './relay.ts';
export { serve, type ServeOptions, type Serving } from './serve.ts';
export { slotOf } from './subjects.ts';
export { fromEventStore, type TellSource, type ToldRow } from './tell-source.ts';
export { tellable } from './tellable.ts';
export { type Watching } from './watching.ts';
export { LIST_BYTES, withinOneAnswer } from './within-one-answer.ts';
