import type { CapturedDelivery } from './captured-delivery.ts';

/** Arguments of a list registration, complete. */
export interface ListTriggerSpec {
  readonly kind: 'list';
  /** Keys; an item of an earlier list is taken before those of later ones. */
  readonly lists: readonly string[];
  /** The end that items are taken from. Default `right`: first in, first out for LPUSH. */
  readonly from: 'left' | 'right';
  readonly delivery: CapturedDelivery;
}
