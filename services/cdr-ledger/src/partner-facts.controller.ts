import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears, HearsMany, type Told } from '#bus';
import {
  cdrDelivered,
  type CdrDeliveredSchema,
  type PartnerRegistered,
  partnerRegistered,
} from '#contracts/ocpi-gateway';
import { ocpiParty } from '#contracts/party';
import { CdrLedger } from './cdr-ledger.ts';
import { eachKey } from './each-key.ts';
import { rememberPartner } from './partners.ts';

@Controller()
export class PartnerFactsController {
  constructor(@Inject(CdrLedger) private readonly ledger: CdrLedger) {}

  @HearsMany(cdrDelivered)
  delivered(told: Told<typeof CdrDeliveredSchema>[]) {
    return eachKey(told, ({ cdrId, at, locationUrl }) => this.ledger.acknowledge({ cdrId, at, locationUrl }));
  }

  @Hears(partnerRegistered)
  async registered({ roles, name }: PartnerRegistered, { tx }: Heard) {
    for (const role of roles) await rememberPartner(tx, ocpiParty(role.party!), role.name || name);
  }
}
