import { type AwsAccounts, homeAccountAlone } from '../adapters/aws/accounts.ts';
import { loadBalancers } from '../adapters/aws/load-balancers.ts';
import type { ListedCollections } from '../ports/inventory.ts';
import { ec2Collections } from './vm/ec2/collections.ts';

/** All collections that only the inventory has, by the service that lists each. */
export const furtherListings = (accounts: AwsAccounts = homeAccountAlone): ListedCollections => {
  const [ofEc2, ofElb] = [ec2Collections(accounts), loadBalancers(accounts)];
  return {
    list: (query) => (query.place.collection === 'load-balancers' ? ofElb : ofEc2).list(query),
  };
};
