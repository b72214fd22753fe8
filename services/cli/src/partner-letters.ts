import { EXAMPLE_URL, PARTNER, partnerPath } from './partner.ts';
import { portalVerb } from './portal-verb.ts';
import { type Option, optionOf, WrongUsage } from './verb.ts';

interface Letter {
  readonly module: string;
  readonly object: string;
  readonly reason: string;
  readonly since: string;
  /** Of OCPI, in which the body is. */
  readonly version: string;
  readonly body?: object;
}

export const partnerLetters = portalVerb({
  usage: 'PARTNER [options]',
  about: `Shows what a partner refused, with the reason and the body, the oldest first. ${PARTNER}`,
  options: { limit: { type: 'string', value: 'N', help: 'how many, 1 to 100 (20)' } satisfies Option },
  examples: [[`npx roamwatt partner letters 'CA*CPK' ${EXAMPLE_URL}`, 'why something did not reach Carbon Plunk']],
  async ask(given, portal) {
    const path = await partnerPath(given, portal);
    const limit = optionOf(given, 'limit');
    if (limit !== undefined && !/^([1-9]\d?|100)$/.test(limit))
      throw new WrongUsage('--limit is a number from 1 to 100');
    return portal.call<{ letters: Letter[]; total: number }>(
      'GET',
      `${path}/dead-letters${limit === undefined ? '' : `?limit=${limit}`}`,
    );
  },
  text: ({ letters, total }) =>
    total === 0
      ? 'No dead letters.'
      : [
          ...letters.map(
            ({ module, object, reason, since, version, body }) =>
              `${module} ${object}, since ${since}\n  ${reason}\n  ${body === undefined ? 'withdrawn meanwhile' : `OCPI ${version}: ${JSON.stringify(body)}`}`,
          ),
          ...(total > letters.length ? [`${letters.length} of ${total}.`] : []),
        ].join('\n'),
});

export const partnerReplay = portalVerb({
  usage: 'PARTNER [options]',
  about: `Sends dead letters again: an object as it is now, a CDR as it was issued. ${PARTNER}`,
  options: {
    module: { type: 'string', value: 'MODULE', help: 'only these: locations, tariffs, tokens, sessions, cdrs, hubclientinfo' },
    object: { type: 'string', value: 'ID', help: 'only this one; a token is "TYPE uid"' },
  },
  examples: [
    [`npx roamwatt partner replay 'CA*CPK' ${EXAMPLE_URL}`, 'all that it refused'],
    ['npx roamwatt partner replay \'CA*CPK\' --module cdrs --object 20220201-K7QXW2MZ4ABC-1', 'one CDR'],
  ],
  async ask(given, portal) {
    const path = await partnerPath(given, portal);
    const [module, object] = [optionOf(given, 'module'), optionOf(given, 'object')];
    return portal.call<{ queued: number }>('POST', `${path}/replay`, {
      ...(module && { module }),
      ...(object && { object }),
    });
  },
  text: ({ queued }) => (queued === 0 ? 'There are no dead letters.' : `${queued} to be sent again.`),
});
