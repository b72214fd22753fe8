import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { Erasing, ErasureFactsController } from '#erasure';
import { CreditFactsController } from './credit-facts.controller.ts';
import { ErasureController } from './erasure.controller.ts';
import { Erasures } from './erasures.ts';
import { TokensAuth } from './tokens-auth.ts';

export interface Verbs {
  readonly tokens: TokensAuth;
  readonly erasures: Erasures;
  readonly erasing: Erasing;
}

@Module({})
export class TokensAuthModule {
  static with({ tokens, erasures, erasing }: Verbs): DynamicModule {
    return {
      module: TokensAuthModule,
      controllers: [AskController, CreditFactsController, ErasureController, ErasureFactsController],
      providers: [
        { provide: TokensAuth, useValue: tokens },
        { provide: Erasures, useValue: erasures },
        { provide: Erasing, useValue: erasing },
      ],
    };
  }
}
