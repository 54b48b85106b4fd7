import type { ExpositionFormat } from './exposition.ts';

/** The numbers of this node and of the fleet, for a Prometheus or whoever reads its format. */
export interface Metrics extends Disposable {
  /**
   * The text of one scrape. Counts are read where they are kept anyway; Redis is asked one thing, and when it has not answered
   * within a second the numbers of the fleet are left out. Never rejects for that.
   */
  scrape(format: ExpositionFormat): Promise<string>;
}
