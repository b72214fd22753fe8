import type { ExplainLanguage } from '#pricing';
import type { PlaceFacts, ZoneReason } from '#time';
import type { InWords } from './language.ts';
import type { ChosenZone } from './zone-choice.ts';

/** A zone that was told. */
export const TOLD = {
  option: { en: '--time-zone', fr: '--time-zone' },
  object: { en: 'its own time_zone', fr: 'son propre time_zone' },
  place: { en: 'the time_zone of its location', fr: 'le time_zone de son lieu' },
  location: { en: '--location', fr: '--location' },
} as const satisfies Record<string, InWords>;

/** As `--json` has it. */
export function zoneJson(zone: ChosenZone, language: ExplainLanguage) {
  return { time_zone_source: sourceText(zone, language), ...(zone.assumed ? { time_zone_assumed: true } : {}) };
}

export function sourceText({ source, assumed }: ChosenZone, language: ExplainLanguage): string {
  return assumed ? `${ASSUMED[language]}${source[language]}` : source[language];
}

const ASSUMED: InWords = { en: 'assumed: ', fr: 'supposé\u00a0: ' };

/** Why a zone is that of a place. */
export function placeWords(by: ZoneReason, { country, state, latitude, longitude }: PlaceFacts): InWords {
  switch (by) {
    case 'only-zone':
      return { en: `the only zone of ${country}`, fr: `le seul de ${country}` };
    case 'alike':
      return { en: `all zones of ${country} show the same time then`, fr: `tous ceux de ${country} montrent alors la même heure` };
    case 'coordinates': {
      const at = `${latitude}, ${longitude}`;
      return {
        en: `the zone ${country === undefined ? '' : `of ${country} `}at the coordinates ${at}`,
        fr: `celui ${country === undefined ? '' : `de ${country} `}aux coordonnées ${at}`,
      };
    }
    case 'province':
      return { en: `the zone of most of ${state}, ${country}`, fr: `celui de la plus grande partie de ${state}, ${country}` };
  }
}
