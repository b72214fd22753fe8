import { z } from 'zod';
import type { Settings } from '#settings';

const ocpiSection = z.strictObject({
  /** Whether partners may live on this machine or a private network: demos, tests, closed networks. */
  allow_private_urls: z.boolean().default(false),
  /** How long a partner may take for one request, real time. */
  request_timeout_ms: z.int().min(100).max(120_000).default(10_000),
  /** Most objects on one page of our lists. */
  page_limit: z.int().min(1).max(1_000).default(100),
  /** The first pause after a delivery that did not reach its partner, doubled each time, real time. */
  first_retry_ms: z.int().min(10).default(200),
  longest_retry_ms: z.int().min(10).default(10_000),
  /** How often a partner may fail over one object (3000, HTTP 404 …) before it is set aside; never a CDR. */
  refusals_before_parking: z.int().min(1).default(10),
});

export type OcpiSettings = z.output<typeof ocpiSection>;

export function ocpiSettings(settings: Settings): OcpiSettings {
  return settings.section('ocpi', ocpiSection);
}
