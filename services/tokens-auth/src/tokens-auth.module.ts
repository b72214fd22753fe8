import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { CreditFactsController } from './credit-facts.controller.ts';
import { TokensAuth } from './tokens-auth.ts';

@Module({})
export class TokensAuthModule {
  static with(tokens: TokensAuth): DynamicModule {
    return {
      module: TokensAuthModule,
      controllers: [AskController, CreditFactsController],
      providers: [{ provide: TokensAuth, useValue: tokens }],
    };
  }
}
