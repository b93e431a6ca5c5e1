import type { EventBridgeEvent } from './eventbridge.ts';

/** The `source` of what our functions put into the observations queue themselves. It never crosses a bus. */
export const ownSource = 'dcm.ec2-sp';

/** A kind of own event. `word` tells its ids from those of the other kinds. */
export type OwnKind = { readonly source: string; readonly detailType: string; readonly word: string };

/** Which instance it is about and where, and since when it is true, in seconds since 1970. */
export type About = {
  readonly 'instance-id': string;
  readonly region: string;
  readonly account: string;
  readonly at: number;
  /** The request to the provider's API that it is due to. */
  readonly 'request-id'?: string | undefined;
};

/** What we tell the normaliser, in the shape of everything else in its queue. */
export const ownEvent = <Told extends About>(
  { source, detailType, word }: OwnKind,
  { region, account, at, ...detail }: Told,
): EventBridgeEvent => ({
  version: '0',
  id: `${detail['instance-id']}:${at}:${word}`,
  'detail-type': detailType,
  source,
  account,
  time: new Date(at * 1000).toISOString(),
  region,
  resources: [],
  detail,
});
