import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import { type DescribeStations, describeStations } from '#contracts/ocpp-gateway';
import type { Database } from '#postgres';
import { DATABASE } from './provided.ts';
import { describeStations as stationViews } from './station-rows.ts';

@Controller()
export class AskController {
  constructor(@Inject(DATABASE) private readonly db: Database) {}

  @Answers(describeStations)
  describe(requests: DescribeStations[]) {
    return each(requests, async ({ stationIds }) => ({
      stations: (await stationViews(this.db, stationIds)).map((station) => ({ ...station, connectors: [...station.connectors] })),
    }));
  }
}
