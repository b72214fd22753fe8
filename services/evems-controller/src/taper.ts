import type { Drawn } from './car.ts';
import type { Site } from './feeder.ts';
import { floorTo } from './shares.ts';

/** A car at the end of its charge. `slackSince`: it draws clearly less than it may since then. */
export interface Taper {
  readonly slackSince?: number;
  readonly capMa?: number;
}

/** A car that uses less than nine tenths of its limit for a while needs no more than it uses. */
export function tapered(taper: Taper, drawn: Drawn, limitMa: number, site: Site): Taper {
  const { taperMarginMa, taperAfterMs } = site.timing;
  const capMa = Math.max(site.minMa, -floorTo(-(drawn.ma + taperMarginMa), site.stepMa));
  if (taper.capMa !== undefined) {
    // It follows its limit again: let it show what it can use.
    return drawn.ma > taper.capMa - taperMarginMa / 2 ? {} : { ...taper, capMa };
  }
  const isSlack = drawn.ma < limitMa * 0.9 && capMa < limitMa;
  if (!isSlack) return {};
  const slackSince = taper.slackSince ?? drawn.at;
  return drawn.at - slackSince < taperAfterMs ? { slackSince } : { slackSince, capMa };
}
