import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type AccountCreditChanged, accountCreditChanged } from '#contracts/accounts';
import { noteCredit } from './credit-rows.ts';
import { TokensAuth } from './tokens-auth.ts';

@Controller()
export class CreditFactsController {
  constructor(@Inject(TokensAuth) private readonly tokens: TokensAuth) {}

  @Hears(accountCreditChanged)
  async changed({ contractKey, exhausted, at }: AccountCreditChanged, { tx }: Heard) {
    if (!this.tokens.isErasedOfOurs(contractKey, at)) await noteCredit(tx, contractKey, exhausted);
  }
}
