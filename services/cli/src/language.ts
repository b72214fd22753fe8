import type { ExplainLanguage } from '#pricing';
import { type Given, type Option, optionOf, WrongUsage } from './verb.ts';

/** One thing said to people. */
export type InWords = Readonly<Record<ExplainLanguage, string>>;

export const LANGUAGE_OPTION = {
  type: 'string', value: 'en|fr', help: 'of what is said in words (en); codes, figures and refusals are the same in both',
} as const satisfies Option;

/** Throws WrongUsage. */
export function givenLanguage(given: Given): ExplainLanguage {
  const language = optionOf(given, 'language') ?? 'en';
  if (language !== 'en' && language !== 'fr') throw new WrongUsage('--language: en or fr expected');
  return language;
}
