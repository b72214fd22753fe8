import { type Given, type Option, optionOf, WrongUsage } from './verb.ts';

/** Of what people read. */
export type Language = 'en' | 'fr';

export const LANGUAGE_OPTION = { type: 'string', value: 'en|fr', help: 'of what people read (en)' } as const satisfies Option;

/** Throws WrongUsage. */
export function givenLanguage(given: Given): Language {
  const language = optionOf(given, 'language') ?? 'en';
  if (language !== 'en' && language !== 'fr') throw new WrongUsage('--language: en or fr expected');
  return language;
}
