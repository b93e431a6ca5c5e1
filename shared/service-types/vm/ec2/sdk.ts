/** The exports that we use of EC2's SDK client, so that the bundler can leave out the rest, which is larger than a whole function. */
export {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  EC2Client,
  EC2ServiceException,
  paginateDescribeInstanceStatus,
  paginateDescribeInstances,
  paginateDescribeInstanceTypes,
  RebootInstancesCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
