import type { Ocmf } from './ocmf.ts';

/** As OCPI's SignedValue has it. CDR-20. */
export type SignedNature = 'Start' | 'Intermediate' | 'End';

export const isBegin = (reason: string | undefined): boolean => reason === 'B';
export const isEnd = (reason: string | undefined): boolean =>
  reason !== undefined && 'ELRAP'.includes(reason[0] ?? ' ');

/** Which part of the transaction a record is; one that holds it all is its end. */
export function natureOf({ readings }: Ocmf): SignedNature | undefined {
  const reasons = readings.map(({ reason }) => reason);
  if (reasons.some(isEnd)) return 'End';
  if (reasons.some(isBegin)) return 'Start';
  return reasons.some((reason) => reason !== undefined) ? 'Intermediate' : undefined;
}
