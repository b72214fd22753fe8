import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { fromJsonBytes } from '#contracts';
import {
  type PartnerSessionChanged,
  partnerSessionChanged,
  type SessionStarted,
  sessionStarted,
  type SessionUpdated,
  sessionUpdated,
} from '#contracts/sessions';
import { type TokenChanged, tokenChanged } from '#contracts/tokens-auth';
import { Erasing } from '#erasure';
import type { Session, Token } from '#ocpi';
import { Retail } from './retail.ts';

/** Only where accounts are kept. What was told before that has gone by: opening.ts looks for the tokens. */
@Controller()
export class RetailFactsController {
  constructor(
    @Inject(Retail) private readonly retail: Retail,
    @Inject(Erasing) private readonly erasing: Erasing,
  ) {}

  @Hears(tokenChanged)
  async token({ own, tokenJson, lastUpdated }: TokenChanged) {
    if (!own) return;
    const { country_code, party_id, uid, contract_id } = fromJsonBytes<Token>(tokenJson);
    const whose = { party: { country_code, party_id }, contractId: contract_id };
    if (this.erasing.marks.isErased(whose, lastUpdated)) return;
    await this.retail.accounts.open({ country_code, party_id, uid, contract_id });
  }

  @Hears(partnerSessionChanged, sessionStarted, sessionUpdated)
  async session(
    { sessionJson }: PartnerSessionChanged | SessionStarted | SessionUpdated,
    heard: Heard,
  ) {
    const session = fromJsonBytes<Session>(sessionJson);
    const { country_code, party_id, contract_id: contractId } = session.cdr_token;
    if (this.erasing.marks.isErased({ party: { country_code, party_id }, contractId }, session.start_date_time)) return;
    heard.afterCommit(() => this.retail.wake());
    await this.retail.running?.note(heard.tx, session);
  }
}
