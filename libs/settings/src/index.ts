export { checkSettings, settingsFaults } from './references.ts';
export {
  BadSettings, type Env, type PartySettings, portOf, readParty, readSettings, type Settings,
} from './settings.ts';
