import { decimal } from '#money';
import type { Cdr, SignedData, SignedValue } from '#ocpi';
import {
  compareWithCharge,
  type DifferenceCode,
  isOnAnotherCurve,
  keyText,
  type MeterKey,
  natureOf,
  type Ocmf,
  readMeterKey,
  readOcmf,
  type SignedNature,
  verifySignature,
} from '#ocmf';
import { instant } from '#time';
import { type Finding, type FindingCode, found } from './finding.ts';

/** More than any charge has; each costs a fraction of a millisecond. */
const RECORDS_MAX = 100;

/**
 * Whether a meter signed what a CDR charges: by the key that is known of it, else by the one that came
 * along, which proves less. Nothing of it keeps a CDR from being issued or recorded.
 */
export function reviewSigned(cdr: Cdr, knownKey: string | undefined): Finding[] {
  const { signed_data: signed, credit } = cdr;
  if (!signed || credit === true) return [];
  if (signed.encoding_method.toUpperCase() !== 'OCMF') {
    return found('signed-data-not-verifiable', `${signed.encoding_method} is not checked here`);
  }
  const values = signed.signed_values.slice(0, RECORDS_MAX);
  const read = values.map((value) => ({ value, ...readOcmf(ocmfText(value)) }));
  const unreadable = read.find(({ ok }) => !ok);
  if (unreadable && !unreadable.ok) {
    return found('signed-data-unreadable', `${unreadable.value.nature}: ${unreadable.message}`);
  }
  const records = read.flatMap((each) => (each.ok ? [{ value: each.value, ocmf: each.ocmf }] : []));
  const charge = {
    energyKwh: decimal(cdr.total_energy).toString(),
    startMs: instant(cdr.start_date_time),
    endMs: instant(cdr.end_date_time),
  };
  const compared = records.map(({ value, ocmf }) => ({ nature: natureOf(ocmf) ?? nature(value), ocmf }));
  return [
    ...signatures(records, signed, knownKey),
    ...compareWithCharge(compared, charge).flatMap(({ code, detail, figures }) => found(CODES[code], detail, figures)),
  ];
}

const CODES: Readonly<Record<DifferenceCode, FindingCode>> = {
  energy: 'signed-energy-differs',
  time: 'signed-time-differs',
  unit: 'signed-unit-unknown',
  'not-usable': 'signed-reading-not-usable',
  pages: 'signed-pages-out-of-order',
  'pages-missing': 'signed-pages-missing',
  meters: 'signed-by-several-meters',
  incomplete: 'signed-readings-incomplete',
};

interface Signed {
  readonly value: SignedValue;
  readonly ocmf: Ocmf;
}

function signatures(
  records: readonly Signed[],
  { public_key: sent }: SignedData,
  knownKey: string | undefined,
): Finding[] {
  const [first] = records;
  const curve = /^ECDSA-(\w+)-/i.exec(first?.ocmf.signature.algorithm ?? '')?.[1];
  const known = keyOf(knownKey, curve);
  const told = keyOf(sent, curve);
  const differs =
    known && told && keyText(known) !== keyText(told)
      ? found('signed-key-differs', 'the key that came along is not the one that is known of its meter')
      : [];
  const key = known ?? told;
  if (!key) {
    const why = sent === undefined ? 'no key of its meter is known here' : 'the key that came along is none';
    return found('signed-data-not-verifiable', why);
  }
  return [...differs, ...verdictOf(records, key, known !== undefined)];
}

const keyOf = (text: string | undefined, curve: string | undefined): MeterKey | undefined =>
  text === undefined ? undefined : readMeterKey(text, curve);

function verdictOf(records: readonly Signed[], key: MeterKey, isKnown: boolean): Finding[] {
  for (const { value, ocmf } of records) {
    const plain = value.plain_data.trim();
    if (plain.startsWith('OCMF|') && plain !== printable(ocmfText(value)))
      return found('signed-data-invalid', `${value.nature}: its plain text is not what is signed`);
    const verdict = verifySignature(ocmf, key);
    if (verdict.verdict === 'invalid')
      return found('signed-data-invalid', `${value.nature}: ${verdict.why}`);
    // Who is not the meter that is known here could else have it called harmless.
    if (isKnown && isOnAnotherCurve(ocmf, key))
      return found('signed-data-invalid', `${value.nature}: it is signed on another curve than that of the key of its meter`);
    if (verdict.verdict === 'not-verifiable')
      return found('signed-data-not-verifiable', `${value.nature}: ${verdict.why}`);
  }
  const meter = records[0]?.ocmf.meter;
  const of = `what ${meter === undefined ? 'the meter' : `meter ${meter}`} signed`;
  return isKnown
    ? found('signed-data-valid', `the signature of ${of} is valid`)
    : found('signed-by-unknown-key', `the signature of ${of} fits the key that came along; the key is not known here`);
}

/** The record itself: in base64 as OCPI has it, else as partners write it. */
function ocmfText({ signed_data, plain_data }: SignedValue): string {
  const decoded = Buffer.from(signed_data, 'base64').toString();
  const text = [decoded, signed_data, plain_data].find((each) => each.trimStart().startsWith('OCMF|'));
  return (text ?? decoded).trim();
}

/** OCPI's strings hold no control characters; a record may have line breaks between its fields. */
const printable = (text: string): string => text.replaceAll(/[\x00-\x1f\x7f]/g, ' ');

function nature({ nature: told }: SignedValue): SignedNature | undefined {
  return (['Start', 'Intermediate', 'End'] as const).find((each) => each.toLowerCase() === told.toLowerCase());
}
