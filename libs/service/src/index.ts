export { type Service, type ServiceOptions, startService } from './start-service.ts';
export { type Running, runService } from './run-service.ts';
