import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import {
  type CdrDelivered,
  cdrDelivered,
  type PartnerRegistered,
  partnerRegistered,
} from '#contracts/ocpi-gateway';
import { ocpiParty } from './answers.ts';
import { CdrLedger } from './cdr-ledger.ts';
import { rememberPartner } from './partners.ts';

@Controller()
export class PartnerFactsController {
  constructor(@Inject(CdrLedger) private readonly ledger: CdrLedger) {}

  @Hears(cdrDelivered)
  delivered({ cdrId, at, locationUrl }: CdrDelivered) {
    return this.ledger.acknowledge({ cdrId, at, locationUrl });
  }

  @Hears(partnerRegistered)
  async registered({ roles, name }: PartnerRegistered, { tx }: Heard) {
    for (const role of roles) await rememberPartner(tx, ocpiParty(role.party!), role.name || name);
  }
}
