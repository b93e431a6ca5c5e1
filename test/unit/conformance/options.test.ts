import { describe, expect, it } from 'vitest';
import { chosenGroups } from '../../../conformance/groups.ts';
import { givenBy, readOptions, specOf } from '../../../conformance/options.ts';

const provider = 'http://host:8081';
const read = (...options: readonly string[]) =>
  readOptions(['node', 'main.ts', '--provider', provider, ...options]);

const chosen = (only: string, ...options: readonly string[]) => {
  const given = read('--only', only, ...options);
  return chosenGroups(given, givenBy(given)).flatMap(({ checks }) => checks.map(({ id }) => id));
};

describe('the options of the conformance suite', () => {
  it.each([
    [['--nats', 'localhost:4222'], /^--nats must be a URL such as nats:\/\/host:4222$/],
    [['--registry-port', 'http'], /^--registry-port must be a port: 1 to 65535$/],
    [['--registry-port', '70000'], /^--registry-port must be a port: 1 to 65535$/],
    [['--agent-topic', 'dcm.agent.x'], /^--agent-topic must be the agent’s AGENT_TOPIC_NAME/],
    [['--timeout', '0'], /^--timeout must be more than 0 seconds$/],
    [['--timeout', 'long', '--nats', '?'], /^--nats .*; --timeout must be seconds$/],
  ])('are refused in one sentence: %j', (options, sentence) => {
    expect(() => read(...options)).toThrow(sentence);
  });

  it('refuse a spec that is not there or is no object, by the file', async () => {
    await expect(specOf(read('--spec', '/nowhere/spec.json'))).rejects.toThrow(
      /^--spec \/nowhere\/spec.json cannot be read: ENOENT/,
    );
  });
});

describe('--only', () => {
  it('chooses checks and groups, in capital or small letters, in the order of the suite', () => {
    expect(chosen('c4, h1')).toEqual(['H1', 'C4']);
    expect(chosen('O,F')).toEqual(['F1', 'F2', 'F3', 'F4', 'F5', 'O1']);
  });

  it.each([
    ['X', '--only: there is no check or group "X" of a vm; groups are R, H, B, C, F, G, D, I, A, E, O'],
    ['H,C44', '--only: there is no check or group "C44" of a vm'],
    ['', '--only: there is no check or group "" of a vm'],
  ])('is refused where it names what there is not: "%s"', (only, sentence) => {
    expect(() => chosen(only)).toThrow(sentence);
  });

  it.each([
    ['R', '--only: R1 needs --registry-port, which is not given'],
    ['H,R8', '--only: R8 needs --registry-port, which is not given'],
    ['E', '--only: E1 needs --nats, which is not given'],
    ['A2', '--only: A2 needs --token, which is not given'],
    ['B4', '--only: B4 needs --agent-topic, which is not given'],
    ['B3', '--only: B3 needs --nats, which is not given'],
  ])('is refused where what it names cannot be made: %s', (only, sentence) => {
    expect(() => chosen(only)).toThrow(sentence);
  });

  it('takes a group of which one check alone lacks something, and credentials in the URL for a token', () => {
    expect(chosen('B')).toContain('B4');
    expect(chosen('A', '--provider', 'http://dcm:secret@host:8081')).toEqual(['A1', 'A2']);
  });
});
