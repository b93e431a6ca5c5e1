/** The exports that we use of Elastic Load Balancing's SDK client, so that the bundler can leave out the rest. */
export {
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
