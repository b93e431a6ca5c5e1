import { feedCosts } from './feed-costs.ts';
import type { Figures } from './figures.ts';
import { inventoryAtRest } from './inventory-at-rest.ts';
import { inventoryLag } from './inventory-lag.ts';
import { inventoryPages } from './inventory-pages.ts';

/** What the inventory and the change feed cost, and how quickly they answer. */
export const inventory = async (): Promise<Figures> => ({
  ...(await inventoryPages()),
  ...(await inventoryLag()),
  ...(await inventoryAtRest()),
  ...(await feedCosts()),
});
