export { type NatsOptions, natsFor, startNats } from './nats.ts';
export { natsServerBinary } from './nats-binary.ts';
export { type PostgresOptions, postgresFor, removePostgres, startPostgres } from './postgres.ts';
export { type Server } from './server.ts';
export { checkoutRoot, stateRoot } from './places.ts';
