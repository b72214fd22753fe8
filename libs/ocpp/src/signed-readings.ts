import type { MeterValue16, SampledValue16 } from './core16.ts';
import { parseInstant } from './instant.ts';

/** What a meter signed, as text: who reads it has to know its encoding. */
export interface SignedReading {
  /** Epoch milliseconds of the sample, not of its arrival. */
  readonly at: number;
  readonly context: string;
  /** Such as OCMF; absent where nobody says. */
  readonly encoding?: string;
  /** Out of its wrappings, else as it came. */
  readonly text: string;
  /** Of the meter, in whatever form the station gives it. */
  readonly publicKey?: string;
}

/** T-20: more than the 2500 of OCPP 2.0.1 occurs; OCPP 2.1 has this. */
export const SIGNED_CHARS_MAX = 32_768;
/** Of one frame. A StopTransaction may bring all of its transaction once more. */
const FRAME_CHARS_MAX = 200_000;
const NAME_CHARS_MAX = 36;
const KEY_CHARS_MAX = 2_500;

/**
 * What is signed in a MeterValues or in a StopTransaction's transactionData: in 1.6 a value of the
 * format SignedData, which is the record itself, its hex, or OCPP 2.x's SignedMeterValue as JSON (OCA,
 * Signed Meter Values in OCPP). Never read as a number (S16-31). Where a frame brings too much, its
 * first and last readings are kept before those in between; `leftOut` says how many were not.
 */
export function signedReadings(values: readonly MeterValue16[]): {
  readonly signed: SignedReading[];
  readonly leftOut: number;
} {
  const all = values.flatMap(({ timestamp, sampledValue }) => {
    const at = parseInstant(timestamp);
    if (at === undefined) return [];
    return sampledValue.filter(isSigned).map((each) => signedReading(at, each));
  });
  let left = FRAME_CHARS_MAX;
  const kept = new Set(
    all
      .toSorted((a, b) => rank(a) - rank(b))
      .filter(({ text }) => {
        if (text.length > SIGNED_CHARS_MAX || text.length > left) return false;
        left -= text.length;
        return true;
      }),
  );
  const signed = all.filter((each) => kept.has(each));
  return { signed, leftOut: all.length - signed.length };
}

const isSigned = ({ format, value }: SampledValue16): boolean =>
  format === 'SignedData' && value.trim() !== '';

const rank = ({ context }: SignedReading): number => (context.startsWith('Transaction.') ? 0 : 1);

function signedReading(at: number, sampled: SampledValue16): SignedReading {
  const { value, context = 'Sample.Periodic' } = sampled;
  return { at, context, ...unwrapped(value.trim()) };
}

type Content = Pick<SignedReading, 'encoding' | 'text' | 'publicKey'>;

function unwrapped(value: string): Content {
  if (value.startsWith('{')) return ofObject(value) ?? { text: value };
  return ofText(value);
}

/** S16-31 hex, base64 or plain; only OCMF says what it is. */
function ofText(value: string): Content {
  const plain = [value, decoded(value, 'hex'), decoded(value, 'base64')].find((text) => text?.startsWith(OCMF));
  return plain === undefined ? { text: value } : { text: plain, encoding: 'OCMF' };
}

const OCMF = 'OCMF|';

function decoded(value: string, encoding: 'hex' | 'base64'): string | undefined {
  if (value.length > 2 * SIGNED_CHARS_MAX) return undefined;
  const shape = encoding === 'hex' ? /^[0-9a-f]+$/i : /^[A-Za-z0-9+/\s_-]+={0,2}\s*$/;
  return shape.test(value) ? Buffer.from(value, encoding).toString() : undefined;
}

function ofObject(value: string): Content | undefined {
  if (value.length > 2 * SIGNED_CHARS_MAX) return undefined;
  let given: unknown;
  try {
    given = JSON.parse(value);
  } catch {
    return undefined;
  }
  const { signedMeterData, encodingMethod, publicKey } = given as Record<string, unknown>;
  if (typeof signedMeterData !== 'string') return undefined;
  const content = ofText(signedMeterData.trim());
  const encoding = content.encoding ?? short(encodingMethod, NAME_CHARS_MAX);
  const key = short(publicKey, KEY_CHARS_MAX);
  return {
    text: content.text,
    ...(encoding === undefined ? {} : { encoding }),
    ...(key === undefined ? {} : { publicKey: key }),
  };
}

function short(value: unknown, charsMax: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= charsMax ? value : undefined;
}
