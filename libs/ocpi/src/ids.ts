/** A party: ISO country and party id, as in `CA*BCT`. Names a company, not a platform. */
export interface Party {
  readonly country_code: string;
  readonly party_id: string;
}

/** Ids, country codes and party ids compare without regard to case. TRN-72. */
export function sameId(a: string, b: string): boolean {
  return a === b || (a.length === b.length && idKey(a) === idKey(b));
}

/** One spelling of an id, for keys of maps and rows: its ASCII letters in lower case. */
export function idKey(id: string): string {
  return /^[\x00-\x7f]*$/.test(id) ? id.toLowerCase() : id.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function sameParty(a: Party, b: Party): boolean {
  return partyText(a) === partyText(b);
}

/** `CA*BCT`. */
export function partyText({ country_code, party_id }: Party): string {
  return `${country_code}*${party_id}`.toUpperCase();
}
