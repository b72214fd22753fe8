import { Controller } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type PartyLinkChanged, partyLinkChanged } from '#contracts/ocpi-gateway';
import { noteLink } from './link-rows.ts';

/** Whose cards somebody can be asked to pay for. */
@Controller()
export class LinkFactsController {
  @Hears(partyLinkChanged)
  changed({ party, linked }: PartyLinkChanged, { tx }: Heard) {
    return noteLink(tx, party!, linked);
  }
}
