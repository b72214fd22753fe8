export { BadSettings, type Env, type PartySettings, readSettings, type Settings } from './settings.ts';
