/** What a user of DCM asks for, as DCM hands it to a provider. */
export const vmSpec = (name: string) => ({
  service_type: 'vm',
  metadata: { name },
  vcpu: { count: 2 },
  memory: { size: '4GB' },
  storage: { disks: [{ name: 'boot', capacity: '20GB' }] },
  guest_os: { type: 'amazon-linux-2023' },
});
