import { describe } from 'vitest';
import { catalogue } from './ec2/catalogue.ts';
import { changingState } from './ec2/changing-state.ts';
import { collections } from './ec2/collections.ts';
import { launchOptions } from './ec2/launch-options.ts';
import { launching } from './ec2/launching.ts';
import { listing } from './ec2/listing.ts';
import { statusChecks } from './ec2/status-checks.ts';
import { ec2Subject, type Setup } from './ec2/subject.ts';
import { tagging } from './ec2/tagging.ts';

/**
 * What the provider relies on in EC2, asked through the real SDK. An endpoint that others use too can be held to it: each
 * test knows its own instances by a tag.
 */
export const ec2Contract = (name: string, setup: Setup) =>
  describe(name, () => {
    const subject = ec2Subject(setup);
    launching(subject);
    launchOptions(subject);
    catalogue(subject);
    collections(subject);
    listing(subject);
    changingState(subject);
    statusChecks(subject);
    tagging(subject);
  });
