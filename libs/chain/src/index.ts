export {
  BrokenChain,
  type ChainRow,
  type ChainState,
  EMPTY_CHAIN,
  type LogEntry,
  nextRow,
  stateAfter,
  verifyNext,
} from './chain.ts';
export { entryText, readHeading, type Sealed } from './entry.ts';
export { endLine, type ExportedEntry, entryLine, headerLine, headLine, Summing, sumLine } from './export-format.ts';
export { exportedEntry, type ExportLine, linesOf, readHeader, readLine } from './export-lines.ts';
export { macOf, sha256 } from './hashes.ts';
export { type Head, readHead, type Signed, signEnd, signHead } from './head.ts';
export {
  InvalidKey,
  isPublicKey,
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
  type Run,
  same,
  type TreeHead,
} from './merkle-proof.ts';
export { isReceipt, type ReceiptProof, type ReceiptReading, verifyReceipt } from './receipt.ts';
export { areTextsIntact, type ExportVerdict, verifyExport, type VerifyOptions } from './verify-export.ts';
export { type LedgerRow, type StoredEntry, type StoredHead, type Verdict, verifyLog } from './verify-log.ts';
