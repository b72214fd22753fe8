import { type Party, partyText, type Role, sameParty } from '#ocpi';
import { z } from 'zod';

const role = z.enum(['CPO', 'EMSP', 'HUB', 'NAP', 'NSP', 'OTHER', 'SCSP']);

const party = z.strictObject({
  country_code: z.string().regex(/^[A-Z]{2}$/, 'an ISO 3166-1 alpha-2 code, such as CA'),
  party_id: z.string().regex(/^[A-Z0-9]{3}$/, 'three letters or digits, such as BCT'),
  name: z.string().min(1).max(100),
  website: z.url().optional(),
  roles: z.array(role).min(1),
  currency: z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code, such as CAD').default('CAD'),
});

export type PartySettings = z.infer<typeof party>;

/** The section `party`: the one party of a platform. */
export const partySection = party;

/** The section `parties`: several, such as a white-label platform's brands. The first comes first everywhere. */
export const partiesSection = z.array(party).min(1).max(100).check(({ value, issues }) => {
  for (const [index, one] of value.entries()) {
    if (value.findIndex((other) => sameParty(one, other)) === index) continue;
    issues.push({
      code: 'custom',
      input: one,
      path: [index],
      message: `${partyText(one)} is there twice: give it all its roles in one place`,
    });
  }
});

export type OwnerReading =
  | { readonly ok: true; readonly party: PartySettings }
  | { readonly ok: false; readonly message: string };

/**
 * The parties that a platform is (docs/adr/0014). What is ours names its owner by itself; what names
 * none belongs to the first party of its role.
 */
export class OwnParties {
  readonly first: PartySettings;
  readonly all: readonly PartySettings[];

  // Not a parameter property: scripts read this file with Node's own types-stripping.
  constructor(all: readonly PartySettings[]) {
    const [first] = all;
    if (!first) throw new Error('a platform is at least one party');
    this.all = all;
    this.first = first;
  }

  find(party: Party): PartySettings | undefined {
    return this.all.find((one) => sameParty(one, party));
  }

  has(party: Party): boolean {
    return this.find(party) !== undefined;
  }

  /** The first with the role; a platform that has nobody with it answers as its first party. */
  withRole(wanted: Role): PartySettings {
    return this.all.find(({ roles }) => roles.includes(wanted)) ?? this.first;
  }

  /** Whose an object is that may name a party. */
  ownerOf({ country_code, party_id }: Partial<Party>, wanted: Role): OwnerReading {
    if (country_code === undefined && party_id === undefined) return { ok: true, party: this.withRole(wanted) };
    if (country_code === undefined || party_id === undefined) {
      return { ok: false, message: 'country_code and party_id name a party together' };
    }
    const named = { country_code, party_id };
    const found = this.find(named);
    if (found && (found.roles.includes(wanted) || found === this.withRole(wanted))) return { ok: true, party: found };
    const fit = this.all.filter(({ roles }) => roles.includes(wanted)).map(partyText);
    const known = fit.length > 0 ? fit.join(', ') : 'none';
    return { ok: false, message: `party_id: ${partyText(named)} is no ${wanted} of this platform; ${known} is` };
  }

  /** Which of several is meant where nobody else can say; the only one need not be named. */
  chosen(named: Party | undefined): OwnerReading {
    const known = this.all.map(partyText).join(', ');
    if (named === undefined) {
      return this.all.length === 1
        ? { ok: true, party: this.first }
        : { ok: false, message: `own_party: say which of this platform's parties is meant: ${known}` };
    }
    const found = this.find(named);
    return found
      ? { ok: true, party: found }
      : { ok: false, message: `own_party: ${partyText(named)} is no party of this platform; ${known} is` };
  }
}
