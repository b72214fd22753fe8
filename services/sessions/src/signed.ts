import type { SignedData } from '#ocpi';
import { keyText, natureOf, readMeterKey, readOcmf, type SignedNature } from '#ocmf';

/** What the meter signed of a charge, as its CDR will carry it. CDR-20 */
export interface SignedValue {
  readonly nature: SignedNature;
  readonly encoding: string;
  readonly text: string;
  /** Base64. */
  readonly publicKey?: string;
}

/** OCPI carries no more than 5000 characters of base64. */
const TEXT_BYTES_MAX = 3_750;
/** All that is signed between start and end; the rest stays in the gateway's journal. */
const BETWEEN_CHARS_MAX = 16_000;
const KEY_CHARS_MAX = 512;
const UNNAMED = 'unknown';

export interface SignedTold {
  readonly context: string;
  readonly encoding?: string | undefined;
  readonly text: string;
  readonly publicKey?: string | undefined;
}

/** The meter's own word of what a record is counts before the station's. */
export function signedValue({ context, encoding = UNNAMED, text, publicKey }: SignedTold): SignedValue {
  const read = encoding === 'OCMF' ? readOcmf(text) : undefined;
  const ocmf = read?.ok ? read.ocmf : undefined;
  const curve = ocmf && /^ECDSA-(\w+)-/i.exec(ocmf.signature.algorithm)?.[1];
  const key = publicKey === undefined ? undefined : readMeterKey(publicKey, curve);
  return {
    nature: (ocmf && natureOf(ocmf)) ?? natures[context] ?? 'Intermediate',
    ...{ encoding, text },
    ...(key ? { publicKey: keyText(key) } : {}),
  };
}

const natures: Readonly<Record<string, SignedNature>> = {
  'Transaction.Begin': 'Start',
  'Transaction.End': 'End',
};

export interface NewSigned {
  readonly signed: readonly SignedValue[];
  /** Some have no place in a CDR, which was not known before. */
  readonly isCut: boolean;
}

export interface SignedKept {
  readonly values: readonly SignedValue[];
  readonly isCut: boolean;
}

/** Which of them go into the CDR: one start, one end, and of those between the first. */
export function newSigned(kept: SignedKept, given: readonly SignedValue[]): NewSigned {
  const values = [...kept.values];
  let isCut = false;
  for (const value of given) {
    if (values.some(({ text }) => text === value.text)) continue;
    if (hasRoom(values, value)) values.push(value);
    else isCut = true;
  }
  return { signed: values.slice(kept.values.length), isCut: isCut && !kept.isCut };
}

function hasRoom(values: readonly SignedValue[], { nature, encoding, text }: SignedValue): boolean {
  if (Buffer.byteLength(text) > TEXT_BYTES_MAX) return false;
  if (values.some((value) => value.encoding !== encoding)) return false;
  const same = values.filter((value) => value.nature === nature);
  if (nature !== 'Intermediate') return same.length === 0;
  return same.reduce((sum, value) => sum + value.text.length, text.length) <= BETWEEN_CHARS_MAX;
}

export function withSigned({ values, isCut }: SignedKept, { signed, isCut: cut }: NewSigned): SignedKept {
  return { values: [...values, ...signed], isCut: isCut || cut };
}

/** OCPI's strings hold no control characters. */
const printable = (text: string): string => text.replaceAll(/[\x00-\x1f\x7f]/g, ' ');

const ORDER: readonly SignedNature[] = ['Start', 'Intermediate', 'End'];

export function signedDataOf({ values }: SignedKept): SignedData | undefined {
  const [first] = values;
  if (!first) return undefined;
  const publicKey = values.find((value) => value.publicKey !== undefined)?.publicKey;
  return {
    encoding_method: first.encoding,
    ...(publicKey === undefined || publicKey.length > KEY_CHARS_MAX ? {} : { public_key: publicKey }),
    signed_values: values
      .toSorted((a, b) => ORDER.indexOf(a.nature) - ORDER.indexOf(b.nature))
      .map(({ nature, text }) => ({
        nature,
        plain_data: printable(text),
        signed_data: Buffer.from(text).toString('base64'),
      })),
  };
}
