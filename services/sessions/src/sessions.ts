import { idKey, type Party, sameParty } from '#ocpi';
import type { Database } from '#postgres';
import type { PartySettings } from '#settings';
import type { Logs } from './logs.ts';
import { findPartnerSession } from './partner-session-rows.ts';
import { type ListRequest, listOwnSessions, listTokenSessions } from './session-rows.ts';

export interface SessionsParts {
  readonly db: Database;
  readonly logs: Logs;
  readonly party: PartySettings;
}

/** Sessions as they stand, ours and partners'. */
export class Sessions {
  constructor(private readonly parts: SessionsParts) {}

  /** The OCPI Session's JSON. */
  async find(party: Party, sessionId: string): Promise<{ text: string; own: boolean } | undefined> {
    const { db, logs, party: own } = this.parts;
    if (!sameParty(party, own)) {
      const held = await findPartnerSession(db, party, sessionId);
      return held && { text: held.text, own: false };
    }
    const { state } = await logs.sessions.load(idKey(sessionId));
    if (!('session' in state)) return undefined;
    return { text: JSON.stringify(state.session), own: true };
  }

  list(parties: readonly Party[], page: ListRequest): Promise<{ texts: string[]; total: number }> {
    return listOwnSessions(this.parts.db, parties, page);
  }

  ofToken(party: Party, tokenUid: string, limit: number): Promise<string[]> {
    return listTokenSessions(this.parts.db, party, tokenUid, limit);
  }
}
