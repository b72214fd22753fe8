import { type DynamicModule, Module } from '@nestjs/common';
import { Erasing, ErasureFactsController } from '#erasure';
import { AskController } from './ask.controller.ts';
import { Charging } from './charging.ts';
import { Commands } from './commands.ts';
import { Connectors } from './connectors.ts';
import { Orders } from './orders.ts';
import { Preferences } from './preferences.ts';
import { Profiles } from './profiles.ts';
import { OwnFactsController } from './own-facts.controller.ts';
import { PartnerSessions } from './partner-sessions.ts';
import { Reservations } from './reservations.ts';
import { Sessions } from './sessions.ts';
import { SiteFactsController } from './site-facts.controller.ts';
import { StationFactsController } from './station-facts.controller.ts';

export interface Verbs {
  readonly charging: Charging;
  readonly commands: Commands;
  readonly connectors: Connectors;
  readonly erasing: Erasing;
  readonly orders: Orders;
  readonly partnerSessions: PartnerSessions;
  readonly reservations: Reservations;
  readonly preferences: Preferences;
  readonly profiles: Profiles;
  readonly sessions: Sessions;
}

@Module({})
export class SessionsModule {
  static with(verbs: Verbs): DynamicModule {
    const { charging, commands, connectors, erasing, orders } = verbs;
    const { partnerSessions, preferences, profiles, reservations, sessions } = verbs;
    return {
      module: SessionsModule,
      controllers: [
        AskController,
        StationFactsController,
        SiteFactsController,
        OwnFactsController,
        ErasureFactsController,
      ],
      providers: [
        { provide: Charging, useValue: charging },
        { provide: Commands, useValue: commands },
        { provide: Connectors, useValue: connectors },
        { provide: Erasing, useValue: erasing },
        { provide: Orders, useValue: orders },
        { provide: PartnerSessions, useValue: partnerSessions },
        { provide: Reservations, useValue: reservations },
        { provide: Preferences, useValue: preferences },
        { provide: Profiles, useValue: profiles },
        { provide: Sessions, useValue: sessions },
      ],
    };
  }
}
