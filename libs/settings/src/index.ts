export { type Running, runService } from './run-service.ts';
export { BadSettings, type Env, type PartySettings, readSettings, type Settings } from './settings.ts';
