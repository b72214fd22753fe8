import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import { type CloseTransaction, closeTransaction, type DescribeStations, describeStations } from '#contracts/ocpp-gateway';
import type { Executor } from '#event-store';
import type { Database } from '#postgres';
import { currentTraceparent } from '#telemetry';
import { DATABASE, JOURNAL } from './provided.ts';
import type { Station, StationCommand, StationEvent } from './station-events.ts';
import { describeStations as stationViews } from './station-rows.ts';

@Controller()
export class AskController {
  constructor(
    @Inject(DATABASE) private readonly db: Database,
    @Inject(JOURNAL) private readonly journal: Executor<Station, StationCommand, StationEvent>,
  ) {}

  @Answers(describeStations)
  describe(requests: DescribeStations[]) {
    return each(requests, async ({ stationIds }) => ({
      stations: (await stationViews(this.db, stationIds)).map((station) => ({ ...station, connectors: [...station.connectors] })),
    }));
  }

  /** Any process may: nothing is asked of the station. */
  @Answers(closeTransaction)
  close(requests: CloseTransaction[]) {
    return each(requests, async ({ stationId, transactionId, because, isUnknownThere }) => {
      const command = { type: 'CloseTransaction', transactionId, because, isUnknownThere } as const;
      const { events } = await this.journal.execute(stationId, `close ${transactionId}`, command, currentTraceparent());
      return { closed: events.length > 0 };
    });
  }
}
