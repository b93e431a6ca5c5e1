/** The exports that we use of EC2's SDK client for the addresses of tasks. */
export { DescribeNetworkInterfacesCommand, EC2Client } from '@aws-sdk/client-ec2';
