import { PORTAL_OPTIONS, type PortalClient, portalOf } from './portal-client.ts';
import type { Given, Verb } from './verb.ts';

const ABOUT_KEY = 'Asks the portal of a running platform, with the operator\'s key in ROAMWATT_OPERATOR_KEY.';

/** A verb that asks the portal and shows its answer. */
export function portalVerb<T>(verb: Omit<Verb, 'run'> & {
  readonly ask: (given: Given, portal: PortalClient) => Promise<T>;
  readonly text: (answer: T) => string;
}): Verb {
  const { ask, text, options, about, ...rest } = verb;
  return {
    ...rest,
    about: `${about}\n${ABOUT_KEY}`,
    options: { ...options, ...PORTAL_OPTIONS },
    async run(given, terminal) {
      const answer = await ask(given, portalOf(given));
      terminal.out.line(given.flags.has('json') ? JSON.stringify(answer) : text(answer));
      return 0;
    },
  };
}
