import { verify } from 'node:crypto';
import { curveOf, type MeterKey } from './meter-key.ts';
import type { Ocmf } from './ocmf.ts';

/** What came of the signature: valid, or why it is not or cannot be told. */
export type Verdict =
  | { readonly verdict: 'valid' }
  | { readonly verdict: 'invalid' | 'not-verifiable'; readonly why: string };

const HASHES: Readonly<Record<string, string>> = {
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
};

/** Curve and hash of an OCMF signature algorithm; undefined for one that cannot be checked here. */
function algorithmOf(name: string): { curve: string; size: number; hash: string } | undefined {
  const match = /^ECDSA-([a-z0-9]{3,20})-(SHA\d{3})$/i.exec(name);
  const curve = match && curveOf(match[1]!);
  const hash = match && HASHES[match[2]!.toUpperCase()];
  return curve && hash ? { curve: curve.name, size: curve.size, hash } : undefined;
}

/** Whether it says that it is signed on another curve than the key's: then this key did not sign it. */
export function isOnAnotherCurve({ signature }: Ocmf, { curve }: MeterKey): boolean {
  const told = /^ECDSA-([a-z0-9]{3,20})-/i.exec(signature.algorithm)?.[1];
  return told !== undefined && curve !== undefined && curveOf(told)?.name !== curve;
}

/** Whether the holder of the key signed these very bytes. */
export function verifySignature({ payload, signature }: Ocmf, { key, curve }: MeterKey): Verdict {
  const algorithm = algorithmOf(signature.algorithm);
  if (!algorithm) {
    const why = `its algorithm ${JSON.stringify(signature.algorithm)} is none that is checked here`;
    return { verdict: 'not-verifiable', why };
  }
  if (curve !== algorithm.curve) {
    const why = `it is signed on ${algorithm.curve}, the key is on ${curve ?? 'another curve'}`;
    return { verdict: 'not-verifiable', why };
  }
  const bytes = Buffer.from(signature.data, signature.encoding);
  const fits = (dsaEncoding: 'der' | 'ieee-p1363') => verify(algorithm.hash, Buffer.from(payload), { key, dsaEncoding }, bytes);
  // DER by the rules; meters also write the two numbers alone.
  return fits('der') || (bytes.length === 2 * algorithm.size && fits('ieee-p1363'))
    ? { verdict: 'valid' }
    : { verdict: 'invalid', why: 'the signature does not fit what is signed' };
}
