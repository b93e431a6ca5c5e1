import { ec2Contract } from '../../test/contract/ec2.ts';

const { MOTO_URL: url = '' } = process.env;

ec2Contract('moto: EC2', async () => ({ url, [Symbol.asyncDispose]: async () => {} }));
