export { type Charge, compareWithCharge, type Difference, type DifferenceCode } from './compare.ts';
export { keyText, type MeterKey, readMeterKey } from './meter-key.ts';
export { type Ocmf, type OcmfReading, type OcmfRefusal, readOcmf, type ReadOcmf } from './ocmf.ts';
export { natureOf, type SignedNature } from './nature.ts';
export { isOnAnotherCurve, type Verdict, verifySignature } from './verify.ts';
