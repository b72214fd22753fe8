import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Clock, clockFromEnv } from '#time';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { faultsOf } from './faults.ts';
import { OwnParties, partiesSection, partySection, type PartySettings } from './parties.ts';
import { sectionNames, unknownWord } from './words.ts';

/** What a process is given: environment variables, or a record a host made for it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** A setting that is missing or wrong; the message names where, what, and what to do. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';
}

const environment = z.object({
  ROAMWATT_PLATFORM: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits, -'),
  DATABASE_URL: z.url(),
  DATABASE_ADMIN_URL: z.url().optional(),
  NATS_URL: z.string().min(1),
  ROAMWATT_CONFIG: z.string().min(1),
});

/** What every service of a platform is told, whatever it does. */
export interface Settings {
  /** Path of roamwatt.yaml, for what is said about it. */
  readonly file: string;
  /** Names the platform in every NATS subject. */
  readonly platform: string;
  readonly databaseUrl: string;
  /** The login that may change schemas; the same as databaseUrl on embedded servers. */
  readonly databaseAdminUrl: string;
  readonly natsUrl: string;
  readonly clock: Clock;
  readonly parties: OwnParties;
  /** One section of roamwatt.yaml, parsed; an absent section is parsed as `{}`. */
  section<T extends z.ZodType>(name: string, schema: T): z.output<T>;
  /** A section that is a list; an absent one is empty. */
  list<T extends z.ZodType>(name: string, item: T): z.output<T>[];
  /** One environment variable, or its default. */
  variable(name: string, fallback?: string): string;
  /** The port that a variable names; 0, any free one, where it is not set. */
  port(name: string): number;
  /** 32 bytes for one purpose, derived from ROAMWATT_SECRET: what a stolen database does not hold. */
  key(purpose: string): Buffer;
}

const SECRET_CHARACTERS_MIN = 32;

/**
 * Reads the environment and the platform's roamwatt.yaml (`ROAMWATT_CONFIG`).
 * Throws BadSettings naming the variable or the path in the file.
 */
export function readSettings(env: Env): Settings {
  const given = parsed(environment, env, (path) => `environment variable ${path}`);
  const file = given.ROAMWATT_CONFIG;
  const sections = readSections(file);
  const variable = (name: string, fallback?: string) => {
    const value = env[name] ?? fallback;
    if (value === undefined) throw new BadSettings(`environment variable ${name} is not set`);
    return value;
  };
  const parsedAs = <T extends z.ZodType>(name: string, schema: T, absent: unknown) =>
    parsed(schema, sections[name] ?? absent, (path) => `${file}: ${[name, path].filter(Boolean).join('.')}`);
  const section = <T extends z.ZodType>(name: string, schema: T) => parsedAs(name, schema, {});
  return {
    file,
    platform: given.ROAMWATT_PLATFORM,
    databaseUrl: given.DATABASE_URL,
    databaseAdminUrl: given.DATABASE_ADMIN_URL ?? given.DATABASE_URL,
    natsUrl: given.NATS_URL,
    clock: clockFromEnv(env),
    parties: partiesIn(file, sections),
    section,
    list: (name, item) => parsedAs(name, z.array(item), []),
    variable,
    port: (name) => portOf(name, variable(name, '0')),
    key(purpose) {
      const secret = variable('ROAMWATT_SECRET');
      if (secret.length < SECRET_CHARACTERS_MIN) {
        throw new BadSettings(`environment variable ROAMWATT_SECRET: at least ${SECRET_CHARACTERS_MIN} random characters`);
      }
      return Buffer.from(hkdfSync('sha256', secret, '', `roamwatt ${purpose}`, 32));
    },
  };
}

/** The sections as they were written. Throws BadSettings for a file that has none, or one that nobody reads. */
export function readSections(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new BadSettings(`${file} cannot be read (ROAMWATT_CONFIG): ${(error as Error).message}`);
  }
  let sections: unknown;
  try {
    sections = parsedOnce(text);
  } catch (error) {
    throw new BadSettings(`${file} is not valid YAML: ${(error as Error).message}`);
  }
  if (typeof sections !== 'object' || sections === null || Array.isArray(sections)) {
    throw new BadSettings(`${file} must hold sections such as "party:" at its top level`);
  }
  const unknown = Object.keys(sections).filter((name) => !(sectionNames as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new BadSettings(unknown.map((name) => `${file}: ${unknownWord('unknown section', name, sectionNames)}`).join('\n'));
  }
  return sections as Record<string, unknown>;
}

let lastParsed: { readonly text: string; readonly value: unknown } | undefined;

/** Nine services in one process read the same file, which takes 30 ms each time: each gets a value of its own. */
function parsedOnce(text: string): unknown {
  if (lastParsed?.text !== text) lastParsed = { text, value: parseYaml(text) };
  return structuredClone(lastParsed.value);
}

/** A port as text. Throws BadSettings that names the variable. */
export function portOf(name: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new BadSettings(`environment variable ${name}: a port from 0 (any free one) to 65535, not ${JSON.stringify(text)}`);
}

/** The parties of a roamwatt.yaml. Throws BadSettings. */
export function readParties(file: string): OwnParties {
  return partiesIn(file, readSections(file));
}

function partiesIn(file: string, sections: Readonly<Record<string, unknown>>): OwnParties {
  const { party, parties } = sections;
  if (party !== undefined && parties !== undefined) {
    throw new BadSettings(`${file}: party and parties: name one party in "party", or all of them in "parties"`);
  }
  const at = (section: string) => (path: string) => `${file}: ${[section, path].filter(Boolean).join('.')}`;
  const all: PartySettings[] = parties === undefined
    ? [parsed(partySection, party ?? {}, at('party'))]
    : parsed(partiesSection, parties, at('parties'));
  return new OwnParties(all);
}

/** `where` names a path. Throws BadSettings that names every fault. */
function parsed<T extends z.ZodType>(schema: T, value: unknown, where: (path: string) => string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new BadSettings(faultsOf(schema, value, result.error.issues, where).join('\n'));
}
