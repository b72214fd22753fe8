import { z } from 'zod';
import { enumOf, object, open, some, url } from './fields.ts';

// OCPI 2.2.1 mod_versions. A peer that also speaks a later version, or has a module of its own, must not
// fail our handshake: versions and module ids are open.

export const VersionNumber = enumOf('VersionNumber', ['2.0', '2.1', '2.1.1', '2.2', '2.2.1']);
export type VersionNumber = z.infer<typeof VersionNumber>;

export const ModuleId = enumOf('ModuleID', [
  'cdrs', 'chargingprofiles', 'commands', 'credentials', 'hubclientinfo', 'locations', 'sessions', 'tariffs', 'tokens',
]);
export type ModuleId = z.infer<typeof ModuleId>;

/** SENDER has the data and is pulled from; RECEIVER is pushed to. A CPO is RECEIVER of tokens and commands. VER-04. */
export const InterfaceRole = enumOf('InterfaceRole', ['SENDER', 'RECEIVER']);
export type InterfaceRole = z.infer<typeof InterfaceRole>;

export const Version = object('Version', { version: open('VersionNumber', VersionNumber), url: url() });
export type Version = z.infer<typeof Version>;

export const Endpoint = object('Endpoint', {
  identifier: open('ModuleID', ModuleId), role: InterfaceRole, url: url(),
});
export type Endpoint = z.infer<typeof Endpoint>;

export const VersionDetails = object('VersionDetails', {
  version: open('VersionNumber', VersionNumber), endpoints: some(Endpoint),
});
export type VersionDetails = z.infer<typeof VersionDetails>;
