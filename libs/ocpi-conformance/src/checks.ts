import type { Check } from './check.ts';
import { receivedCdrs } from './checks/cdrs.ts';
import { preferences, profiles } from './checks/charging-profiles.ts';
import { charge, commands } from './checks/commands.ts';
import { first, last } from './checks/configuration.ts';
import { hub } from './checks/hub.ts';
import { absence, members } from './checks/hub-members.ts';
import { lists } from './checks/lists.ts';
import { receivedLocations } from './checks/locations.ts';
import { pushes } from './checks/pushes.ts';
import { receivedSessions } from './checks/sessions.ts';
import { listedTariffs, receivedTariffs } from './checks/tariffs.ts';
import { authorization, receivedTokens } from './checks/tokens.ts';

/** All checks, in the order in which they are made. */
export const checks: readonly Check[] = [
  ...first,
  ...lists,
  receivedTariffs,
  receivedLocations,
  receivedSessions,
  receivedCdrs,
  receivedTokens,
  authorization,
  preferences,
  profiles,
  commands,
  charge,
  hub,
  members,
  absence,
  listedTariffs,
  pushes,
  ...last,
];
