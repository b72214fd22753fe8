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
import type { Session, Token } from '#ocpi';
import { Retail } from './retail.ts';

/** Only where accounts are kept: whoever begins to keep them hears all of it from the beginning. */
@Controller()
export class RetailFactsController {
  constructor(@Inject(Retail) private readonly retail: Retail) {}

  @Hears(tokenChanged)
  async token({ own, tokenJson }: TokenChanged) {
    if (!own) return;
    const { country_code, party_id, uid, contract_id } = fromJsonBytes<Token>(tokenJson);
    await this.retail.accounts.open({ country_code, party_id, uid, contract_id });
  }

  @Hears(partnerSessionChanged, sessionStarted, sessionUpdated)
  async session(
    { sessionJson }: PartnerSessionChanged | SessionStarted | SessionUpdated,
    heard: Heard,
  ) {
    heard.afterCommit(() => this.retail.wake());
    await this.retail.running?.note(heard.tx, fromJsonBytes<Session>(sessionJson));
  }
}
