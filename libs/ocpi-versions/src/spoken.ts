/** The versions of OCPI that a platform may speak, the newest first: at a handshake the newest that both sides have is taken. */
export const spokenVersions = ['2.3.0', '2.2.1', '2.1.1'] as const;
export type SpokenVersion = (typeof spokenVersions)[number];
