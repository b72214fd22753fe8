import { EXAMPLE_URL, PARTNER, partnerPath } from './partner.ts';
import { portalVerb } from './portal-verb.ts';
import { table } from './table.ts';

interface Difference {
  readonly module: string;
  readonly object: string;
  readonly what: string;
  readonly detail: string;
  readonly at: string;
}

interface PullOf {
  readonly module: string;
  readonly party?: string;
  readonly ended_at?: string;
  readonly full: boolean;
  readonly objects: number;
  readonly differences: number;
  readonly error: string;
}

export const partnerPull = portalVerb({
  usage: 'PARTNER [options]',
  about: `Reads a partner's lists now: what changed since the last time, or all of them. ${PARTNER}`,
  options: { full: { type: 'boolean', help: 'whole lists: what is not listed is no longer valid' } },
  examples: [[`npx roamwatt partner pull 'CA*EOA' --full ${EXAMPLE_URL}`, 'after an outage, or in doubt']],
  ask: async (given, portal) =>
    portal.call<object>('POST', `${await partnerPath(given, portal)}/pull`, {
      full: given.flags.has('full'),
    }),
  text: () => 'It begins now: npx roamwatt partner differences shows what it finds.',
});

export const partnerDifferences = portalVerb({
  usage: 'PARTNER [options]',
  about: `Shows how a partner's lists were read last, and what was found to be otherwise than here. ${PARTNER}`,
  options: {},
  examples: [[`npx roamwatt partner differences 'CA*EOA' ${EXAMPLE_URL}`, 'what pushes did not bring']],
  ask: async (given, portal) =>
    portal.call<{ pulls: PullOf[]; differences: Difference[] }>(
      'GET',
      `${await partnerPath(given, portal)}/differences`,
    ),
  text: differencesText,
});

export function differencesText({
  pulls,
  differences,
}: {
  readonly pulls: readonly PullOf[];
  readonly differences: readonly Difference[];
}): string {
  if (pulls.length === 0)
    return 'No list was read yet: it happens by itself after the handshake, or now with npx roamwatt partner pull.';
  return [
    ...table(
      [
        ['list', 'of', 'read', 'whole', 'objects', 'differences', 'error'],
        ...pulls.map((one) => [
          one.module,
          one.party ?? 'all',
          one.ended_at ?? 'under way',
          one.full ? 'yes' : 'no',
          String(one.objects),
          String(one.differences),
          one.error,
        ]),
      ],
      [false, false, false, false, true, true, false],
    ),
    ...(differences.length === 0
      ? ['No differences.']
      : differences.map(({ at, module, object, what, detail }) => `${at}  ${module} ${object} ${what}: ${detail}`)),
  ].join('\n');
}
