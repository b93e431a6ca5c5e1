import { Stack } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { EventBus as EventBusTarget } from 'aws-cdk-lib/aws-events-targets';
import { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { eventPatternsOf } from '../../shared/service-types/events.ts';
import { Alarms } from '../constructs/alarms.ts';
import { Containers, taskScope } from '../constructs/containers.ts';
import { InstanceEventsRules } from '../constructs/instance-events-rules.ts';
import { serviceOfThisAccount } from '../constructs/service-of-this-account.ts';
import type { Settings } from '../settings/settings.ts';

export type StreamingRegionProps = { readonly settings: Settings; readonly region: string };

/**
 * EC2 here ─► rules here ─► the default bus of the home region, whose rules match the same events again. They keep their `region`.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
 */
export class StreamingRegionStack extends Stack {
  constructor(scope: Construct, id: string, { settings, region }: StreamingRegionProps) {
    const { provider, homeRegion, deletionProtection, tags } = settings;
    super(scope, id, {
      stackName: `dcm-${provider.name}-${region}`,
      description: `EC2 events of ${region} for DCM's EC2 service provider ${provider.name} in ${homeRegion}`,
      env: { region },
      terminationProtection: deletionProtection,
      tags: tags.stack,
    });

    const homeBusArn = this.formatArn({
      service: 'events',
      region: homeRegion,
      resource: 'event-bus/default',
    });
    const homeBus = EventBus.fromEventBusArn(this, 'HomeBus', homeBusArn);
    const role = new Role(this, 'Forwarder', {
      assumedBy: serviceOfThisAccount(this, 'events', 'rule/*'),
      description: `Forwards EC2 events to ${homeRegion}`,
    });
    const instanceEvents = new InstanceEventsRules(this, 'InstanceEvents', {
      patterns: eventPatternsOf(this.account, taskScope(this, settings, [region])),
      targets: (deadLetterQueue) => [new EventBusTarget(homeBus, { role, deadLetterQueue })],
    });

    new Containers(this, 'Containers', settings);

    new Alarms(this, 'Alarms', settings).watchRules(instanceEvents);
  }
}
