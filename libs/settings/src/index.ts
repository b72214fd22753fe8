export { boundsText } from './bounds.ts';
export { checkSettings } from './references.ts';
export { type OwnerReading, OwnParties, type PartySettings } from './parties.ts';
export { BadSettings, type Env, portOf, readParties, readSections, readSettings, type Settings } from './settings.ts';
