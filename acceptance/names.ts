/** What the run deploys, and where. */
export const provider = 'ec2-sp';
export const account = '123456789012';
export const homeRegion = 'us-east-1';
/** Its events are forwarded to the home region. */
export const streamingRegion = 'eu-west-1';
/** It is polled. */
export const legacyRegion = 'us-west-2';
