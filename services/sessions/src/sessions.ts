import { idKey, type Party, sameParty } from '#ocpi';
import type { Database, ObjectPage, PageRequest } from '#postgres';
import type { OwnParties } from '#settings';
import type { Logs } from './logs.ts';
import { findPartnerSession } from './partner-session-rows.ts';
import { listOwnSessions, listTokenSessions } from './session-rows.ts';

export interface SessionsParts {
  readonly db: Database;
  readonly logs: Logs;
  readonly parties: OwnParties;
}

/** Sessions as they stand, ours and partners'. */
export class Sessions {
  constructor(private readonly parts: SessionsParts) {}

  /** The OCPI Session's JSON. */
  async find(party: Party, sessionId: string): Promise<{ text: string; own: boolean } | undefined> {
    const { db, logs, parties } = this.parts;
    if (!parties.has(party)) {
      const held = await findPartnerSession(db, party, sessionId);
      return held && { text: held.text, own: false };
    }
    const { state } = await logs.sessions.load(idKey(sessionId));
    if (!('session' in state) || !sameParty(state.session, party)) return undefined;
    return { text: JSON.stringify(state.session), own: true };
  }

  list(tokenParties: readonly Party[], page: PageRequest, owner?: Party): Promise<ObjectPage> {
    return listOwnSessions(this.parts.db, tokenParties, page, owner);
  }

  ofToken(party: Party, tokenUid: string, limit: number): Promise<string[]> {
    return listTokenSessions(this.parts.db, party, tokenUid, limit);
  }
}
