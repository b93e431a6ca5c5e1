/**
 * A refusal in EC2's words.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export class Ec2Error extends Error {
  override name = 'Ec2Error' as const;
  readonly code: string;
  readonly status: 400 | 401 | 403 | 412 | 500 | 503;

  constructor(code: string, message: string, status: Ec2Error['status'] = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const invalidValue = (message: string): Ec2Error => new Ec2Error('InvalidParameterValue', message);

export const invalidCombination = (message: string): Ec2Error =>
  new Ec2Error('InvalidParameterCombination', message);
