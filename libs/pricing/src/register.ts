import { type DecimalLike, decimal } from '#money';
import type { ChargeState } from './changes.ts';
import type { LevelRange } from './meter.ts';

/** Integers: W and mA. */
export interface Levels {
  readonly powerW?: number | undefined;
  readonly currentMa?: number | undefined;
}

/** A piece of time in one state between two readings, with the energy that ran through it. */
export interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
  readonly fromTenthWh: number;
  readonly toTenthWh: number;
  readonly state: ChargeState;
  readonly levels: Levels;
}

/** The register within a piece, energy running evenly. */
export function energyAt(piece: Piece, atMs: number): number {
  const gained = (piece.toTenthWh - piece.fromTenthWh) * (atMs - piece.fromMs);
  return piece.fromTenthWh + Math.round(gained / (piece.toMs - piece.fromMs));
}

/** The range that takes in one more level. */
export function widened(
  range: LevelRange | undefined,
  level: number | undefined,
): LevelRange | undefined {
  if (level === undefined) return range;
  return range ? [Math.min(range[0], level), Math.max(range[1], level)] : [level, level];
}

/** Wh in tenths, rounded half away from zero. */
export function tenths(wh: DecimalLike): number {
  return Number(decimal(wh).shift(1).roundTo(0, 'half-away-from-zero').coefficient);
}

export function thousandths(value: DecimalLike): number {
  return Number(decimal(value).shift(3).roundTo(0, 'half-away-from-zero').coefficient);
}
