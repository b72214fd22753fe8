import { EXAMPLE_URL, only, PARTNER, type Partner, partiesOf, partnerOf, partnerPath, pathOf } from './partner.ts';
import { portalVerb } from './portal-verb.ts';
import { type Given, type Option, optionOf, WrongUsage } from './verb.ts';

const PARTY = {
  type: 'string',
  value: 'PARTY',
  multiple: true,
  help: 'a party and its roles, such as CA*CPK:EMSP or CA*ISL:CPO,EMSP; without roles any but HUB; may be given several times',
} satisfies Option;

export const partnerInvite = portalVerb({
  usage: 'NAME [options]',
  about: `Makes a TOKEN_A for a partner who will register with us. Tell it to nobody else. Who registers as other parties than those named is refused;
where none is named, it waits for npx roamwatt partner approve after it has registered.`,
  options: { party: PARTY },
  examples: [
    [`npx roamwatt partner invite 'Carbon Plunk' --party 'CA*CPK:EMSP' ${EXAMPLE_URL}`, 'what Carbon Plunk needs'],
  ],
  ask: (given, portal) =>
    portal.call<{ versions_url: string; token_a: string }>('POST', '/v1/operator/invitations', {
      name: only(given, 'the name'),
      parties: partiesIn(given),
    }),
  text: ({ versions_url, token_a }) => `versions URL  ${versions_url}\nTOKEN_A       ${token_a}`,
});

export const partnerRegister = portalVerb({
  usage: 'NAME --versions-url URL [options]',
  about: 'Registers with a partner who gave us a TOKEN_A, which is read from the variable TOKEN_A.',
  options: {
    'versions-url': { type: 'string', value: 'URL', help: "the partner's" },
    set: {
      type: 'string',
      value: 'QUIRK',
      multiple: true,
      help: 'a quirk that is known beforehand, such as unencoded-token',
    } satisfies Option,
    party: { ...PARTY, help: 'whom it is, and as what: CA*EOA:CPO; else whoever answers' },
  },
  examples: [
    [
      "TOKEN_A=secret npx roamwatt partner register 'Energy OASIS' --versions-url https://oasis.example/ocpi/versions",
      'the handshake',
    ],
  ],
  async ask(given, portal) {
    const [versions_url, token_a] = [optionOf(given, 'versions-url'), process.env['TOKEN_A']];
    if (!versions_url) throw new WrongUsage('give --versions-url');
    if (!token_a) throw new WrongUsage('set TOKEN_A to the token that the partner gave you');
    const quirks = given.options['set'] ?? [];
    return portal.call<Partner>('POST', '/v1/operator/partners', {
      name: only(given, 'the name'),
      versions_url,
      token_a,
      quirks,
      parties: partiesIn(given),
    });
  },
  text: (partner) => `${partner.name} (${partiesOf(partner)}) is ${partner.state}, OCPI ${partner.version}`,
});

export const partnerApprove = portalVerb({
  usage: 'PARTNER [options]',
  about: `Says for whom a link is meant: for the parties that it names, or for those of --party. What waited for them is sent then. ${PARTNER}`,
  options: { party: PARTY },
  examples: [[`npx roamwatt partner approve 'CA*CPK' ${EXAMPLE_URL}`, 'Carbon Plunk is who it says']],
  ask: async (given, portal) =>
    portal.call<Partner>('POST', `${await partnerPath(given, portal)}/approve`, {
      parties: partiesIn(given),
    }),
  text: (partner) => `${partner.name} (${partiesOf(partner)}) is ${partner.state}`,
});

export const partnerRenew = portalVerb({
  usage: 'PARTNER [options]',
  about: `Gives both sides new tokens, by PUT of our credentials: each month, and at once when one may be known to others. The token that the
partner presents is good until it first presents the new one: most do so while we PUT. Where somebody else uses a token, end the link
(partner end): then all are dead at once. ${PARTNER}`,
  options: {},
  examples: [[`npx roamwatt partner renew 'CA*CPK' ${EXAMPLE_URL}`, 'the old tokens are dead once the new ones are used']],
  ask: async (given, portal) => portal.call<Partner>('POST', `${await partnerPath(given, portal)}/renew`, {}),
  text: (partner) => `${partner.name} and we have new tokens.`,
});

export const partnerEnd = portalVerb({
  usage: 'PARTNER [options]',
  about: `Ends the link, or withdraws an invitation: its tokens are dead at once, as they have to be when others have one, then the partner is told. Cards of its drivers charge at our stations no more, whatever
it said of them, unless it is behind a hub, too: nobody could be asked to pay. Charges that run go on to their end. Their CDRs, those that it
never got, and what became of charges are kept for its next link, which lets its cards in again. ${PARTNER}`,
  options: {},
  examples: [[`npx roamwatt partner end 'CA*CPK' ${EXAMPLE_URL}`, 'after it, invite it anew']],
  async ask(given, portal) {
    const partner = await partnerOf(given, portal);
    return { ...(await portal.call<Omit<Ended, 'was'>>('DELETE', pathOf(partner))), was: partner.state };
  },
  text: endedText,
});

interface Ended {
  readonly told: boolean;
  readonly detail: string;
  /** The state before. */
  readonly was: string;
}

export function endedText({ told, detail, was }: Ended): string {
  if (was === 'invited') return 'The invitation is withdrawn: its TOKEN_A is dead.';
  if (was === 'unregistered') return 'There was no link any more.';
  return `The link has ended. ${told ? 'The partner knows.' : `The partner could not be told: ${detail}`}
Cards of its drivers charge no more unless a hub reaches it; charges that run go on, and their CDRs wait for its next link.`;
}

function partiesIn(given: Given) {
  return (given.options['party'] ?? []).map((text) => {
    const [, country_code, party_id, roles] = /^([A-Za-z]{2})\*([A-Za-z0-9]{1,3})(?::([A-Za-z,]+))?$/.exec(text) ?? [];
    if (country_code === undefined) throw new WrongUsage(`--party "${text}" is no party such as CA*CPK or CA*CPK:EMSP`);
    return { country_code: country_code.toUpperCase(), party_id: party_id!.toUpperCase(), roles: roles?.toUpperCase().split(',') ?? [] };
  });
}
