export {
  BrokenChain,
  type ChainRow,
  type ChainState,
  EMPTY_CHAIN,
  GENESIS,
  type LogEntry,
  nextRow,
  stateAfter,
  verifyNext,
} from './chain.ts';
export { entryText, type Heading, type Place, readHeading, type Sealed } from './entry.ts';
export { type Damage, type DamageKind } from './export-damage.ts';
export {
  endLine,
  type ExportedEntry,
  type ExportedPrivate,
  type ExportHeader,
  entryLine,
  headerLine,
  headLine,
  type Line,
  Summing,
  sumLine,
} from './export-format.ts';
export {
  type EntryLine,
  exportedEntry,
  type ExportLine,
  linesOf,
  readHeader,
  readLine,
  StrangeLine,
} from './export-lines.ts';
export { leafOf, linkOf, macOf, nodeOf, sha256 } from './hashes.ts';
export {
  type ExportEnd,
  type Head,
  readEnd,
  readHead,
  type Signed,
  signEnd,
  signHead,
  wrongSignature,
} from './head.ts';
export {
  InvalidKey,
  isPublicKey,
  isSignedBy,
  type PublicKey,
  readPublicKeys,
  type Signer,
  signerFromPem,
  signerFromSeed,
} from './keys.ts';
export { type Edge, edgeCounts, type KeptNode, MerkleEdge, RADIX } from './merkle.ts';
export {
  consistencyProof,
  type Inclusion,
  inclusionProof,
  isConsistent,
  type NodeSource,
  rootAt,
  rootByInclusion,
  type Run,
  same,
  type TreeHead,
} from './merkle-proof.ts';
export { type ReceiptProof, type ReceiptReading, verifyReceipt } from './receipt.ts';
export { areTextsIntact, type ExportVerdict, verifyExport, type VerifyOptions } from './verify-export.ts';
export { type LedgerRow, type StoredEntry, type StoredHead, type Verdict, verifyLog } from './verify-log.ts';
