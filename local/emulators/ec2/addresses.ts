import type { SeenInstance } from './instance.ts';

type Numbered = Pick<SeenInstance, 'number' | 'region' | 'state' | 'publicIp'>;

/** An instance keeps its private address until it is terminated, and its public one while it is started. */
export const addressesOf = ({ number, region, state, publicIp }: Numbered) => {
  const privateIp = state === 'terminated' ? undefined : address('172.31', 16 * 256 + number);
  const started = state === 'pending' || state === 'running' ? publicIp : undefined;
  return {
    privateIp,
    privateDns: privateIp && `${dashed('ip', privateIp)}.${inside(region)}.internal`,
    publicIp: started,
    publicDns: started && `${dashed('ec2', started)}.${outside(region)}.amazonaws.com`,
  };
};

/** From 198.18.0.0/15, which no network routes. */
export const publicIp = (count: number): string => address('198.18', count);

const address = (network: string, host: number): string => `${network}.${(host >> 8) & 255}.${host & 255}`;
const dashed = (prefix: string, ip: string): string => `${prefix}-${ip.replaceAll('.', '-')}`;
const inside = (region: string): string => (region === 'us-east-1' ? 'ec2' : `${region}.compute`);
const outside = (region: string): string => (region === 'us-east-1' ? 'compute-1' : `${region}.compute`);
