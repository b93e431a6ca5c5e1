import type { Figures } from './figures.ts';
import { idleDollars } from './polling-cost.ts';

const regions = ['eu-north-1', 'eu-west-3', 'sa-east-1', 'us-west-1', 'us-west-2'];
const otherAccounts = ['222222222222', '333333333333'];

/** What it costs to poll the home account and two others, each with legacy regions in which nothing changes. */
export const accounts = async (): Promise<Figures> => ({
  poll_idle_dollars_per_day_accounts: await idleDollars([
    ...regions,
    ...otherAccounts.flatMap((account) => regions.map((region) => `${account}/${region}`)),
  ]),
});
