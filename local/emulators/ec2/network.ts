export type Subnet = {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly cidr: string;
  readonly isDefault: boolean;
};

export type SecurityGroup = { readonly id: string; readonly vpcId: string; readonly name: string };

const defaultVpc = 'vpc-0a1b2c3d4e5f60718';
const privateVpc = 'vpc-0b2c3d4e5f6071829';

export const zonesOf = (region: string): readonly string[] =>
  (region === 'us-east-1' ? ['a', 'b', 'c', 'd', 'e', 'f'] : ['a', 'b', 'c']).map((zone) => region + zone);

/**
 * Every region's subnets: of the default VPC one in each zone, whose instances get public addresses; of another VPC two without. Their
 * ids are the same in every region.
 */
export const subnetsOf = (region: string): readonly Subnet[] => {
  const zones = zonesOf(region);
  return [
    ...zones.map((zone, n) => ({
      ...{ id: `subnet-0a1b2c3d4e5f6071${(8 + n).toString(16)}`, vpcId: defaultVpc, zone },
      ...{ cidr: `172.31.${16 * n}.0/20`, isDefault: true },
    })),
    ...zones.slice(0, 2).map((zone, n) => ({
      ...{ id: `subnet-0b2c3d4e5f607182${n}`, vpcId: privateVpc, zone },
      ...{ cidr: `10.0.${n}.0/24`, isDefault: false },
    })),
  ];
};

/** Of each VPC the group that instances get where none is asked for, first; and one more. */
export const securityGroups: readonly SecurityGroup[] = [
  { id: 'sg-0a1b2c3d4e5f60718', vpcId: defaultVpc, name: 'default' },
  { id: 'sg-0a1b2c3d4e5f60719', vpcId: defaultVpc, name: 'ssh' },
  { id: 'sg-0b2c3d4e5f6071829', vpcId: privateVpc, name: 'default' },
];
