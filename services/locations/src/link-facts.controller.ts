import { Controller } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type PartyLinkChanged, partyLinkChanged } from '#contracts/ocpi-gateway';
import { partyKey } from './location-rows.ts';

/** At whose stations no driver of ours can charge, and nobody tells what becomes of them: no driver is shown these. */
@Controller()
export class LinkFactsController {
  @Hears(partyLinkChanged)
  async changed({ party, linked }: PartyLinkChanged, { tx }: Heard): Promise<void> {
    await tx.query(
      linked
        ? 'DELETE FROM parties_without_link WHERE party = $1'
        : 'INSERT INTO parties_without_link (party) VALUES ($1) ON CONFLICT DO NOTHING',
      [partyKey(party!)],
    );
  }
}
