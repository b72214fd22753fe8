/** As zod tells that something is too small or too large. */
interface Issue {
  readonly code?: string | undefined;
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean | undefined;
  readonly exact?: boolean | undefined;
}

/** How long, how many or how large something may be, where zod says that it is otherwise. */
export function boundsText(issue: object): string | undefined {
  const { code, origin, minimum, maximum, inclusive = true, exact = false } = issue as Issue;
  if (code !== 'too_small' && code !== 'too_big') return undefined;
  const isTooSmall = code === 'too_small';
  const bound = isTooSmall ? minimum : maximum;
  if (bound === undefined) return undefined;
  if (origin !== 'string' && origin !== 'array') {
    if (!inclusive) return `${isTooSmall ? 'more' : 'less'} than ${bound}`;
    return isTooSmall ? `from ${bound} on` : `at most ${bound}`;
  }
  const things = origin === 'array' ? '' : Number(bound) === 1 ? ' character' : ' characters';
  const verb = Number(bound) === 1 ? 'is' : 'are';
  if (exact) return `exactly ${bound}${things} ${verb} needed`;
  return isTooSmall ? `at least ${bound}${things} ${verb} needed` : `at most ${bound}${things} ${verb} allowed`;
}
