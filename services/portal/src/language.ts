import { z } from 'zod';

/** What sentences for drivers are written in. */
export const Language = z.enum(['en', 'fr']);
export type Language = z.infer<typeof Language>;

/** What a route takes; without it, the header tells. */
export const ofLanguage = Language.optional().meta({ description: 'of what is said in words; without it by the header Accept-Language' });

interface Asking {
  readonly query: { readonly language?: Language | undefined };
  readonly reply: { readonly request: { readonly headers: { readonly 'accept-language'?: string | undefined } } };
}

export function languageAsked({ query, reply }: Asking): Language {
  return query.language ?? languageOf(reply.request.headers['accept-language']);
}

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
