/** The exports that we use of EKS's SDK client, so that the bundler can leave out the rest. */
export {
  AssociateAccessPolicyCommand,
  CreateAccessEntryCommand,
  CreateClusterCommand,
  CreateNodegroupCommand,
  DeleteClusterCommand,
  DeleteNodegroupCommand,
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  DescribeUpdateCommand,
  EKSClient,
  ListClustersCommand,
  paginateDescribeClusterVersions,
  paginateListAccessEntries,
  paginateListNodegroups,
  paginateListUpdates,
} from '@aws-sdk/client-eks';
