import { EXAMPLE_URL, PARTNER, partnerOf, pathOf } from './partner.ts';
import { portalVerb } from './portal-verb.ts';
import type { Option } from './verb.ts';

interface Quirk {
  readonly name: string;
  readonly what: string;
  readonly rule: string;
  readonly accepted?: string;
  readonly choice?: string;
  readonly times: number;
  readonly last_at?: string;
  readonly detail?: string;
  readonly chosen_at?: string;
  readonly suggested: boolean;
}

const repeated = (help: string): Option => ({ type: 'string', value: 'QUIRK', multiple: true, help });

export const partnerQuirks = portalVerb({
  usage: 'PARTNER [options]',
  about: `Shows what a partner does otherwise than OCPI has it, how often that was seen, and what can be chosen about it. What is harmless is
accepted from everybody; how we speak to the partner changes only by --set, from the next request on. ${PARTNER}`,
  options: {
    set: repeated('speak to it so; may be given several times'),
    unset: repeated('as OCPI has it again'),
    all: { type: 'boolean', help: 'also those that were never seen of it' },
  },
  examples: [
    [`npx roamwatt partner quirks 'CA*CPK' ${EXAMPLE_URL}`, 'what was seen and is suggested'],
    ["npx roamwatt partner quirks 'CA*CPK' --set unencoded-token", 'our token goes to it as it is, not in Base64'],
    ["npx roamwatt partner quirks 'CA*CPK' --set no-patch --unset wrapped-results", 'one more and one less'],
    ["npx roamwatt partner quirks 'CA*CPK' --all", 'all that there are'],
    ["npx roamwatt partner quirks 'CA*CPK' --json", 'for a program: all that there are'],
  ],
  async ask(given, portal) {
    const partner = await partnerOf(given, portal);
    const [set, unset] = [given.options['set'] ?? [], given.options['unset'] ?? []];
    const path = `${pathOf(partner)}/quirks`;
    const { quirks } =
      set.length + unset.length === 0
        ? await portal.call<{ quirks: Quirk[] }>('GET', path)
        : await portal.call<{ quirks: Quirk[] }>('POST', path, { set, unset });
    return { partner: partner.name, quirks, ...(given.flags.has('all') ? { all: true } : {}) };
  },
  text({ partner, quirks, all }) {
    const shown = quirks.filter(({ times, chosen_at }) => all || times > 0 || chosen_at !== undefined);
    return shown.length === 0
      ? `Nothing was seen of ${partner} that OCPI does not have; --all shows what is looked for.`
      : shown.map(textOf).join('\n');
  },
});

function textOf({ name, what, rule, accepted, choice, times, last_at, detail, chosen_at, suggested }: Quirk): string {
  const state =
    chosen_at !== undefined
      ? `chosen ${chosen_at}`
      : suggested
        ? 'suggested'
        : choice === undefined
          ? 'accepted'
          : 'not chosen';
  return [
    `${name} (${rule}): ${state}, ${times === 0 ? 'never seen' : `seen ${times} times, last ${last_at}`}`,
    `  The partner ${what}.`,
    ...(detail === undefined ? [] : [`  Last: ${detail}`]),
    ...(accepted === undefined ? [] : [`  For everybody: ${accepted}.`]),
    ...(choice === undefined ? [] : [`  ${chosen_at === undefined ? `With --set ${name}` : 'Now'}: ${choice}.`]),
  ].join('\n');
}
