import { startEc2Simulator } from '../../local/emulators/ec2/start-ec2-simulator.ts';
import { ec2Contract } from './ec2.ts';

ec2Contract('EC2 simulator', () =>
  startEc2Simulator({ emit: () => {}, dwellMs: { pending: 20, stopping: 20, 'shutting-down': 20 } }),
);
