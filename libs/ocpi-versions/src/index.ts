export type { Context } from './context.ts';
export { type Body, down, type OtherVersion, up, withdrawn } from './convert.ts';
export type { Converted, Json, WhyNot } from './converted.ts';
export type { Kind } from './ocpi-221.ts';
export { type SpokenVersion, spokenVersions } from './spoken.ts';
export { VersionDetails as VersionDetails211 } from './ocpi-211.ts';
export { typeUp as tokenTypeUp } from './objects-230.ts';
export { withoutTax } from './prices-230.ts';
export { tokenTypeDown } from './tokens-211.ts';
