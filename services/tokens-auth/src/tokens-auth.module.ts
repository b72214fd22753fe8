import { type DynamicModule, Module } from '@nestjs/common';
import { AgreementFactsController } from './agreement-facts.controller.ts';
import { AskController } from './ask.controller.ts';
import { Cards } from './cards.ts';
import { Erasing, ErasureFactsController } from '#erasure';
import { CreditFactsController } from './credit-facts.controller.ts';
import { ErasureController } from './erasure.controller.ts';
import { Erasures } from './erasures.ts';
import { LinkFactsController } from './link-facts.controller.ts';
import { TokensAuth } from './tokens-auth.ts';

export interface Verbs {
  readonly tokens: TokensAuth;
  readonly cards: Cards;
  readonly erasures: Erasures;
  readonly erasing: Erasing;
}

@Module({})
export class TokensAuthModule {
  static with({ tokens, cards, erasures, erasing }: Verbs): DynamicModule {
    return {
      module: TokensAuthModule,
      controllers: [
        AskController, AgreementFactsController, CreditFactsController, LinkFactsController, ErasureController, ErasureFactsController,
      ],
      providers: [
        { provide: TokensAuth, useValue: tokens },
        { provide: Cards, useValue: cards },
        { provide: Erasures, useValue: erasures },
        { provide: Erasing, useValue: erasing },
      ],
    };
  }
}
