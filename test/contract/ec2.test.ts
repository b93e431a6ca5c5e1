import { describe } from 'vitest';
import { startEc2Simulator } from '../../local/parts/ec2/start-ec2-simulator.ts';
import { ec2Contract } from './ec2.ts';

ec2Contract('EC2 simulator', () =>
  startEc2Simulator({ emit: () => {}, dwellMs: { pending: 20, stopping: 20, 'shutting-down': 20 } }),
);

/** Start it with `MOTO_ENABLE_AMI_VALIDATION=true MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION=true moto_server`. */
const { MOTO_URL: motoUrl = '' } = process.env;

describe.skipIf(motoUrl === '')('against a running moto', () => {
  ec2Contract('moto', async () => ({ url: motoUrl, [Symbol.asyncDispose]: async () => {} }), [
    'client tokens',
    'dwelling',
    'final termination',
    'status listing',
    'strictness',
  ]);
});
