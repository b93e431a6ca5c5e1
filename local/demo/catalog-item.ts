/** What a user of DCM asks for, as DCM hands it to a provider. */
export const vmSpec = (name: string) => ({
  service_type: 'vm',
  metadata: { name },
  vcpu: { count: 2 },
  memory: { size: '4GB' },
  storage: { disks: [{ name: 'boot', capacity: '20GB' }] },
  guest_os: { type: 'amazon-linux-2023' },
});

/** Id of the catalog item that `npm start` posts. */
export const catalogItemId = 'ec2-vm';

const field = (path: string, name: string, value: unknown) => ({
  ...{ path, display_name: name, editable: true, default: value },
});

/** One VM, whose user may change everything. */
export const catalogItem = {
  api_version: 'v1alpha1',
  display_name: 'VM on Amazon EC2',
  spec: {
    resources: [
      {
        name: 'vm',
        service_type: 'vm',
        fields: [
          field('metadata.name', 'Name', 'vm'),
          field('vcpu.count', 'vCPUs', 2),
          field('memory.size', 'Memory', '4GB'),
          field('storage.disks', 'Disks', [{ name: 'boot', capacity: '20GB' }]),
          field('guest_os.type', 'Operating system', 'amazon-linux-2023'),
        ],
      },
    ],
  },
};

/** An order of it, by the name of the VM. */
export const orderFor = (name: string) => ({
  api_version: 'v1alpha1',
  display_name: name,
  spec: {
    catalog_item_id: catalogItemId,
    user_values: [{ resource: 'vm', path: 'metadata.name', value: name }],
  },
});
