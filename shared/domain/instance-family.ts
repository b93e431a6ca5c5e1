/** The family of an instance type: `m7i` of `m7i.large`. */
export const familyOf = (instanceType: string): string => instanceType.split('.', 1).join('');

/**
 * Whether it counts against the account's quota of standard instances, as families of these letters do; each other one has its own.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-quotas.html
 */
export const isStandard = (instanceType: string): boolean =>
  /^(a|c|d|h|i|im|is|m|r|t|z)[0-9]/.test(instanceType);
