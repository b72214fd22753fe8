export { type NatsOptions, type NatsServer, type NatsUser, natsFor, startNats, userText } from './nats.ts';
export { type PostgresOptions, postgresFor, startPostgres } from './postgres.ts';
export { type Server } from './server.ts';
export { checkoutRoot, stateFolder, stateRoot } from './places.ts';
export { type PassingRun, removeRun, runFolder } from './runs.ts';
