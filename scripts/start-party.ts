import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spokenVersions } from '#ocpi-versions';
import { readParties, readSections } from '#settings';

/**
 * Notes whose platform the data in `dir` are, and refuses to start them without one of those parties:
 * what was told and billed under its name would stay there, with nobody to answer for it. A platform may
 * become further parties.
 */
export function keepParties(dir: string, config: string): void {
  const file = join(dir, 'party');
  const now = readParties(config).all.map(({ country_code, party_id }) => `${country_code}*${party_id}`);
  const before = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : now;
  const gone = before.filter((party) => !now.includes(party));
  if (gone.length > 0) {
    const lost = gone.join(' and ');
    throw new Error(
      `The data in ${dir} belong to ${before.join(' and ')}, but ${config} says that you are ${now.join(' and ')}: partners hold what ` +
        `${lost} told them, and its ledger stays its own. Set country_code and party_id back; or, to begin anew as ${now.join(' and ')}, move ${dir} away.`,
    );
  }
  writeFileSync(file, `${now.join('\n')}\n`);
}

interface Ids {
  readonly locations?: readonly { readonly evses?: readonly { readonly evse_id?: string }[] | null }[] | null;
  readonly drivers?: readonly { readonly contract_id?: string }[] | null;
}

/** EVSE and contract ids that begin with none of the platform's parties, such as those of the example after its party was changed. */
export function idsOfOthers(config: string): string[] {
  const own = readParties(config).all.map(({ country_code, party_id }) => `${country_code}${party_id}`.toUpperCase());
  const { locations, drivers } = readSections(config) as Ids;
  const ids = [
    ...(locations ?? []).flatMap(({ evses }) => (evses ?? []).map(({ evse_id: id }) => ({ field: 'evse_id', id }))),
    ...(drivers ?? []).map(({ contract_id: id }) => ({ field: 'contract_id', id })),
  ];
  return ids
    .filter(({ id }) => id && !own.includes(id.replace(/[*-]/g, '').slice(0, 5).toUpperCase()))
    .map(({ field, id }) => `${field} ${id}`);
}

/** The versions of OCPI that partners may speak, the newest first. */
export function versionsSpoken(config: string): string {
  const { ocpi } = readSections(config) as { readonly ocpi?: { readonly versions?: readonly string[] } | null };
  const spoken = spokenVersions.filter((version) => ocpi?.versions?.includes(version) ?? true);
  return spoken.join(', ').replace(/, (?=[^,]*$)/, ' or ');
}
