import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readParty } from '#settings';

/**
 * Notes whose platform the data in `dir` are, and refuses to start them as another party's: what was
 * told and billed under the first name would stay there, with nobody to answer for it.
 */
export function keepParty(dir: string, config: string): void {
  const file = join(dir, 'party');
  const { country_code, party_id } = readParty(config);
  const now = `${country_code}*${party_id}`;
  const before = existsSync(file) ? readFileSync(file, 'utf8').trim() : now;
  if (before !== now) {
    throw new Error(
      `The data in ${dir} belong to ${before}, but ${config} says that you are ${now}: partners hold what ${before} told ` +
        `them, and its ledger stays its own. Set country_code and party_id back; or, to begin anew as ${now}, move ${dir} away.`,
    );
  }
  writeFileSync(file, `${now}\n`);
}
