import { expect, test } from 'vitest';
import { languageOf } from './language.ts';

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['fr', 'fr'],
  ['fr-CA,fr;q=0.9,en;q=0.8', 'fr'],
  ['en-CA,fr;q=0.9', 'en'],
  ['de, en;q=0.5, fr;q=0.7', 'fr'],
  ['fr;q=0, en;q=0.1', 'en'],
  ['FR-ca', 'fr'],
  ['*', 'en'],
  ['fr;q=much', 'en'],
])('by Accept-Language "%s" a sentence is in "%s"', (header, language) => expect(languageOf(header)).toBe(language));
