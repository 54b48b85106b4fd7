import type { GuestErrorReport } from './messages.ts';

/** The guest's own fault that a version could not be loaded. Never leaves the runtime: it becomes a GuestError. */
export class LoadFailure extends Error {
  readonly report: GuestErrorReport;

  constructor(report: GuestErrorReport) {
    super(report.message);
    this.name = 'LoadFailure';
    this.report = report;
  }
}
