import { z } from 'zod';

/** What sentences for drivers are written in. */
export const Language = z.enum(['en', 'fr']);
export type Language = z.infer<typeof Language>;

/** Of the header Accept-Language: the one of ours that is preferred to the others. */
export function languageOf(header = ''): Language {
  const ranges = header.split(',').map((range) => {
    const [tag = '', ...parameters] = range.trim().toLowerCase().split(/\s*;\s*/);
    const quality = parameters.find((each) => each.startsWith('q='))?.slice(2) ?? '1';
    return { language: Language.safeParse(tag.split('-')[0]).data, quality: /^(0|1)(\.\d{0,3})?$/.test(quality) ? Number(quality) : 0 };
  });
  const wanted = ranges.filter(({ language, quality }) => language !== undefined && quality > 0);
  return wanted.sort((one, other) => other.quality - one.quality)[0]?.language ?? 'en';
}
