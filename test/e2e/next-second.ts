import { setTimeout as sleep } from 'node:timers/promises';

/** EC2 tells times by the second: what happens within one has no order. A little more, for a timer can be early. */
export const untilNextSecond = () => sleep(1_020 - (Date.now() % 1_000));
