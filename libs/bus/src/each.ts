import { Rejected } from '#decider';
import { Refused } from './failures.ts';

/**
 * Handles requests one beside the other: what `handle` rejects with `Rejected` or `Refused` becomes
 * that request's own outcome; any other error is a bug and fails them all.
 */
export function each<Request, Answer>(
  requests: readonly Request[],
  handle: (request: Request, index: number) => Promise<Answer>,
): Promise<(Answer | Rejected | Refused)[]> {
  return Promise.all(
    requests.map((request, index) =>
      handle(request, index).catch((error: unknown) => {
        if (error instanceof Rejected || error instanceof Refused) return error;
        throw error;
      }),
    ),
  );
}
