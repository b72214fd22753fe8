import { Decimal } from '#money';
import { Amount } from './amount.ts';
import type { Entry } from './bill.ts';
import type { Component } from './compile.ts';
import type { Policy } from './policy.ts';
import type { TariffDimension } from './shapes.ts';

/** One billed quantity at one price: periods that follow each other at one component share it. */
export interface Line {
  readonly dimension: TariffDimension;
  /** Part of the reservation, not of the session. */
  readonly reservation: boolean;
  readonly component: Component;
  /** What was used: Wh, s or 1. */
  volume: Decimal;
  /** What is billed after step_size, in the same unit. */
  billed: Decimal;
  excl: Amount;
  /** With VAT; equal to `excl` where none applies. */
  incl: Amount;
  /** The stretch that used it last. */
  lastUse: number;
}

/** Entries to lines, rounded up to their steps and multiplied with their prices. */
export function linesOf(entries: readonly Entry[], policy: Policy): Line[] {
  const lines: Line[] = [];
  for (let i = 0; i < entries.length; i++) {
    const { component, phases, volume, dimension, use } = entries[i]!;
    if (!component) continue;
    const reservation = phases[0] !== 'session';
    const open = newest(lines, dimension, reservation);
    if (open?.component === component) {
      open.volume = open.billed = open.volume.add(volume);
      open.lastUse = use;
    } else {
      lines.push({
        dimension,
        reservation,
        component,
        volume,
        billed: volume,
        excl: Amount.zero,
        incl: Amount.zero,
        lastUse: use,
      });
    }
  }
  applySteps(lines, policy);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const { inclFactor } = line.component;
    line.excl = new Amount(line.component.ninthsPerUnit.mul(line.billed));
    line.incl = inclFactor ? new Amount(line.excl.ninths.mul(inclFactor)) : line.excl;
  }
  return lines;
}

function newest(lines: Line[], dimension: TariffDimension, reservation: boolean): Line | undefined {
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]!;
    if (line.dimension === dimension && line.reservation === reservation) return line;
  }
  return undefined;
}

/**
 * PRC-06 … PRC-11: quantities are rounded up once per session, ENERGY by itself, TIME and
 * PARKING_TIME together, a reservation's TIME by itself; the step is that of the component billed
 * last, it acts on the total of that dimension, and the surplus is billed at that component.
 */
function applySteps(lines: readonly Line[], policy: Policy): void {
  if (policy.stepScope === 'none') return;
  if (policy.stepScope === 'component') {
    for (const line of lines) roundUp(line, line.volume);
    return;
  }
  let energy: Line | undefined;
  let time: Line | undefined;
  let reserved: Line | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.dimension === 'ENERGY') energy = line;
    else if (line.dimension !== 'FLAT' && line.reservation) reserved = line;
    else if (line.dimension !== 'FLAT' && (!time || outranks(line, time, policy))) time = line;
  }
  if (energy) roundUp(energy, totalOf(lines, energy));
  if (time) roundUp(time, totalOf(lines, time));
  if (reserved) roundUp(reserved, totalOf(lines, reserved));
}

/** Which of two lines of time is the one to round? Parking, where one period carries both. */
function outranks(line: Line, other: Line, policy: Policy): boolean {
  const parksOnly = policy.timeStep === 'parking-absorbs' || line.lastUse === other.lastUse;
  if (parksOnly && line.dimension !== other.dimension) return line.dimension === 'PARKING_TIME';
  return line.lastUse > other.lastUse;
}

function totalOf(lines: readonly Line[], like: Line): Decimal {
  let total = like.volume;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === like || line.dimension !== like.dimension) continue;
    if (line.reservation === like.reservation) total = total.add(line.volume);
  }
  return total;
}

function roundUp(line: Line, total: Decimal): void {
  if (line.component.source.step_size === 1 && total.scale === 0) return;
  const { step } = line.component;
  if (step === undefined || total.isNegative()) return;
  const over = total.remainder(step);
  if (!over.isZero()) line.billed = line.volume.add(step.sub(over));
}
