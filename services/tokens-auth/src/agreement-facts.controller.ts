import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type AgreementChanged, agreementChanged } from '#contracts/agreements';
import { Cards } from './cards.ts';

/** Whose card it is where several issued its uid: agreements say. */
@Controller()
export class AgreementFactsController {
  constructor(@Inject(Cards) private readonly cards: Cards) {}

  @Hears(agreementChanged)
  granted(fact: AgreementChanged, { tx }: Heard) {
    return this.cards.noteGrants(tx, fact);
  }
}
