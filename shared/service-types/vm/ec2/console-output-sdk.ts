/** What the inventory's API uses of EC2's SDK client. */
export { EC2Client, GetConsoleOutputCommand } from '@aws-sdk/client-ec2';
