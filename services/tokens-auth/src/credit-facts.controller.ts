import { Controller } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type AccountCreditChanged, accountCreditChanged } from '#contracts/accounts';
import { noteCredit } from './credit-rows.ts';

@Controller()
export class CreditFactsController {
  @Hears(accountCreditChanged)
  changed({ contractKey, exhausted }: AccountCreditChanged, { tx }: Heard) {
    return noteCredit(tx, contractKey, exhausted);
  }
}
