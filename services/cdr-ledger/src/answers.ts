import { toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import type { Cdr } from '#ocpi';
import { InvalidInstant, instant, rfc3339 } from '#time';
import type { Finding } from './finding.ts';
import { figuresOf } from './finding-figures.ts';
import { wholeCdr } from './private-part.ts';
import type { ListedCdr } from './projections/listed-cdr.ts';

/** The CDR as JSON: a partner's as it was received, byte for byte, as long as we may have it. */
export function jsonOf(listed: ListedCdr): Uint8Array<ArrayBuffer> {
  return toJsonBytes(
    listed.own || listed.privateText === undefined ? cdrOf(listed) : listed.privateText,
  );
}

/** As it is booked: a credit that is not written as OCPI has it, for what it is taken. */
export function meantJsonOf(listed: ListedCdr): Uint8Array<ArrayBuffer> {
  return toJsonBytes(cdrOf(listed));
}

export function cdrOf({ cdr, privateText, tokenParty }: ListedCdr): Cdr {
  return wholeCdr(cdr, privateText, tokenParty);
}

export function contractFindings(findings: readonly Finding[]) {
  return findings.map((finding) => {
    const { code, detail } = finding;
    return { code, detail, figures: { ...figuresOf(finding) } };
  });
}

/** An instant of a window as the database takes it. Throws Rejected. */
export function readInstant(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return rfc3339(instant(text));
  } catch (error) {
    if (!(error instanceof InvalidInstant)) throw error;
    throw new Rejected('invalid-object', `date: ${error.message}`);
  }
}
