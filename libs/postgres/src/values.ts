/** PostgreSQL's text forms as the values that the platform uses. */

export function asBigint(text: string): bigint {
  return BigInt(text);
}

/** `{1,2}` */
export function asBigints(text: string): bigint[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',').map(BigInt);
}

/** `2022-02-01 17:00:00.25+00` → `2022-02-01T17:00:00.25Z`; the session's time zone is UTC. */
export function asInstant(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11, -3)}Z`;
}
