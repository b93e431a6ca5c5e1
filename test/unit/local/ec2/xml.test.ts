import { describe, expect, it } from 'vitest';
import { answerXml, errorXml, items } from '../../../../local/emulators/ec2/query-protocol.ts';

describe('EC2 simulator, writing XML', () => {
  it('writes an answer in the namespace of the API version', () => {
    const xml = answerXml('StopInstances', 'r-1', { instancesSet: items([{ instanceId: 'i-1', code: 0 }]) });

    expect(xml).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><StopInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">' +
        '<requestId>r-1</requestId><instancesSet><item><instanceId>i-1</instanceId><code>0</code></item></instancesSet>' +
        '</StopInstancesResponse>',
    );
  });

  it('escapes text, empties empty lists, and leaves out what is undefined', () => {
    const xml = answerXml('X', 'r-1', { tag: '<&>', tagSet: items([]), keyName: undefined });

    expect(xml).toContain('<tag>&lt;&amp;&gt;</tag><tagSet/></XResponse>');
  });

  it("writes an error in EC2's envelope", () => {
    const xml = errorXml('r-1', { code: 'InvalidAction', message: 'no' });

    expect(xml).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>InvalidAction</Code><Message>no</Message>' +
        '</Error></Errors><RequestID>r-1</RequestID></Response>',
    );
  });
});
